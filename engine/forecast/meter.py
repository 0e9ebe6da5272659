"""What an estimate holds and does, seen operation by operation: bytes by place, and work.

The meter is the one of real runs (`LiveStorages`), which knows when every storage begins and ends.
Beside it, it notes for what each storage was made (its part), and the most that was alive at each
place in the code of an estimator: the line that was at work. The peak of one place grows evenly
with the number of steps, particles or products, where the peak over all places does not.
"""

from __future__ import annotations

import sys
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch
from torch.utils.flop_counter import flop_registry

import engine
from engine.forecast.interrupting import look
from engine.forecast.records import Work
from engine.probes.memory import LiveStorages, _tensors

_aten = torch.ops.aten
_ENGINE = str(Path(engine.__file__).parent)
_PLACES = tuple(
    f"{_ENGINE}/{name}" for name in ("estimators/", "searches/", "population.py", "forecast/")
)
"""Files whose lines are told apart as places."""

PARTS = (
    ("solver", "estimators/linear_solvers.py", None),
    ("solver", "estimators/second_derivatives.py", None),
    ("tangents", "tangents.py", None),
    ("tangents", "estimators/forward_mode.py", None),
    ("response", "estimators/self_tuning.py", "_untrained"),
    ("perturbations", "estimators/antithetic_pairs.py", "_perturbation"),
    ("perturbations", "estimators/antithetic_pairs.py", "_perturbed"),
    ("perturbations", "population.py", "standard_normal"),
    ("perturbations", "searches/", "propose"),
    ("meta_loss", "", "meta_loss"),
    ("particles", "population.py", "for_each"),
    ("backward", "trees.py", "gradients"),
    ("inner_state", "", "initial_state"),
)
"""For what a storage was made: the first entry that a function at work matches, by the file that
it stands in and its name. Where none does it belongs to the graph, if one is being built, and
else to the inner state."""

Place = tuple[tuple[int, int], ...]
"""Functions and lines at work."""


@dataclass
class Reached:
    """The most that was alive at a place, taken apart."""

    bytes: int
    parts: dict[str, int] = field(default_factory=dict)


class Meter(LiveStorages):
    """Afterwards `places` has what was reached at each place, and
    `work` what was done (operations, flops, bytes).

    With `answers`, inside a FakeTensorMode, questions that only values answer get an answer that
    lets the code go on as it does in a run that goes well: a number is 1, an index 0, a test of all
    entries true, a comparison false, and entries that may be zero, or alike, are not.
    """

    def __init__(self, *, answers: bool = True) -> None:
        super().__init__()
        self._answers = answers
        self.places: dict[Place, Reached] = {}
        self.live_parts: dict[str, int] = {}
        self._calls, self._flops, self._bytes = 0.0, 0, 0.0
        self._passed: weakref.WeakValueDictionary[int, torch.Tensor] = weakref.WeakValueDictionary()

    @property
    def work(self) -> Work:
        return Work(operations=self._calls, flops=self._flops, bytes_moved=self._bytes)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        if func.namespace == "prim":
            # A fake is asked for its device.
            return func(*args, **(kwargs or {}))
        look()
        if self._answers and func in _QUESTIONS:
            return self._answered(func, args[0])
        result = func(*args, **(kwargs or {}))
        results = result if isinstance(result, tuple | list) else (result,)
        self._calls += _calls()
        self._count(func, args, kwargs or {}, result, results)
        if func in _TESTS and isinstance(result, torch.Tensor):
            self._passed[id(result)] = result
        self.follow(results, args, kwargs)
        return result

    def follow(self, results: Any, args: tuple, kwargs: dict | None = None) -> None:
        place, self._part = _place_and_part()
        super().follow(results, args, kwargs)
        self.peak = max(self.peak, self.live)
        reached = self.places.get(place)
        if reached is None or reached.bytes < self.live:
            self.places[place] = Reached(self.live, dict(self.live_parts))

    def _follow(self, storage: torch.UntypedStorage, address: int) -> None:
        size, part = storage.nbytes(), self._part
        self.live += size
        self.live_parts[part] = self.live_parts.get(part, 0) + size

        def freed(_: weakref.ref) -> None:
            self.live -= size
            self.live_parts[part] -= size
            del self._followed[address]

        self._followed[address] = weakref.ref(storage, freed)

    def _answered(self, question: Any, of: torch.Tensor) -> Any:
        if question is _aten.equal.default:
            return True
        if question is _aten.unique_dim.default:
            count = torch.arange(len(of), device=of.device)
            return of.clone(), count, torch.ones_like(count)
        if question is _aten.nonzero.default:
            return of.new_empty((of.numel(), of.dim()), dtype=torch.int64)
        if of.dtype == torch.bool:
            return id(of) in self._passed
        return 1.0 if of.is_floating_point() else 0

    def _count(self, func: Any, args: tuple, kwargs: dict, result: Any, results: tuple) -> None:
        if func.is_view or func is _aten.detach.default:
            return
        counted = flop_registry.get(func._overloadpacket)
        if counted is not None:
            self._flops += counted(*args, **kwargs, out_val=result)
        made = sum(_bytes(tensor) for tensor in _tensors(results))
        # A gather reads as much as it gives, however large the tensor that it reads from.
        read = made if func in _GATHERS else sum(map(_bytes, _tensors((*args, *kwargs.values()))))
        self._bytes += (made + read) * _SLOWER.get(func._overloadpacket, 1.0)


_QUESTIONS = {
    _aten._local_scalar_dense.default, _aten.equal.default, _aten.unique_dim.default,
    _aten.nonzero.default,
}  # fmt: skip
_TESTS = {_aten.all.default, _aten.isfinite.default, _aten.all.dim}
_GATHERS = {
    _aten.index.Tensor, _aten.gather.default, _aten.index_select.default, _aten.embedding.default,
}  # fmt: skip

_SLOWER = {
    _aten.exp: 3.0, _aten.log: 4.0, _aten.tanh: 8.0, _aten.sigmoid: 5.0,
    _aten._softmax: 6.0, _aten._log_softmax: 6.0, _aten.var_mean: 35.0, _aten.var: 35.0,
    _aten.avg_pool2d: 8.0, _aten.avg_pool2d_backward: 6.0,
    _aten.max_pool2d_with_indices: 6.0, _aten.max_pool2d_with_indices_backward: 6.0,
}  # fmt: skip
"""Times that a byte of them takes that of an addition: measured on one thread of torch 2.13, on
200 kB, where an addition moved 28 GB a second."""


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _place_and_part() -> tuple[Place, str]:
    """Where an estimator's code is, and for what it makes storages there."""
    place: list[tuple[int, int]] = []
    rank, frame = len(PARTS), sys._getframe(2)
    while frame is not None:
        told = _TOLD.get(frame.f_code)
        if told is None:
            told = _TOLD[frame.f_code] = _tell(frame)
        if told[0]:
            place.append((id(frame.f_code), frame.f_lineno))
        rank = min(rank, told[1])
        frame = frame.f_back
    if rank < len(PARTS):
        return tuple(place), PARTS[rank][0]
    return tuple(place), "graph" if torch.is_grad_enabled() else "inner_state"


def _calls() -> float:
    """What the call of an operation costs, in calls of a plain one: by the code at work."""
    mapped, frame = 0, sys._getframe(2)
    while frame is not None:
        way = _WAYS.get(frame.f_code)
        if way is None:
            file, name = frame.f_code.co_filename, frame.f_code.co_name
            way = _WAYS[frame.f_code] = next(
                (way for way, (path, function) in _TRANSFORMS.items()
                 if name == function and file.endswith(path)), "plain",
            )  # fmt: skip
        if way == "recorded":
            return RECORDED
        mapped += way == "mapped"
        frame = frame.f_back
    return MAPPED[min(mapped, len(MAPPED) - 1)]


RECORDED = 90.0
MAPPED = (1.0, 1.3, 2.5)
"""The call of an operation that `make_fx` records, and of one below so many `vmap`s, over that of a
plain one: measured on one thread of torch 2.13 as 307 to 421 µs, 4.3 to 6.1 and 5.2 to 12.5, and
3.4 to 4.3 for a plain one."""
_TRANSFORMS = {
    "recorded": ("fx/experimental/proxy_tensor.py", "dispatch_trace"),
    "mapped": ("_functorch/vmap.py", "_flat_vmap"),
}
_WAYS: dict[CodeType, str] = {}
"""Of a function, what it does to the operations below it."""

_TOLD: dict[CodeType, tuple[bool, int]] = {}
"""Of a function: whether its lines are places, and the rank of its part."""


def _tell(frame: FrameType) -> tuple[bool, int]:
    file, name = frame.f_code.co_filename, frame.f_code.co_name
    within = file.startswith(_ENGINE) or "inner_tasks" in file
    for rank, (_, where, function) in enumerate(PARTS):
        if (
            within
            and file.startswith(f"{_ENGINE}/{where}")
            and (function is None or function == name)
        ):
            return file.startswith(_PLACES), rank
    return file.startswith(_PLACES), len(PARTS)
