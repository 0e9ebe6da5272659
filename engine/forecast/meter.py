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
from typing import Any, NamedTuple, Self

import torch

import engine
from engine.forecast import costs
from engine.forecast.costs import Way
from engine.forecast.interrupting import look
from engine.forecast.records import Work
from engine.probes.memory import LiveStorages, _under_way

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
        self._calls = self._flops = self._bytes = 0.0
        self._within: FrameType | None = None
        self._passed: weakref.WeakValueDictionary[int, torch.Tensor] = weakref.WeakValueDictionary()

    def __enter__(self) -> Self:
        self._within = sys._getframe(1)
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._within = None

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
        self._at = _at_work(sys._getframe(1), self._within)
        self._count(func, args, kwargs or {}, result, results)
        if func in _TESTS and isinstance(result, torch.Tensor):
            self._passed[id(result)] = result
        self._follow_all(results, args, kwargs)
        return result

    def follow(self, results: Any, args: tuple, kwargs: dict | None = None) -> None:
        self._at = _at_work(sys._getframe(1), self._within)
        self._follow_all(results, args, kwargs)

    def add(self, work: Work) -> None:
        """Count `work` that is done below the level at which operations are seen."""
        self._calls += work.operations
        self._flops += work.flops
        self._bytes += work.bytes_moved

    def _follow_all(self, results: Any, args: tuple, kwargs: dict | None) -> None:
        super().follow(results, args, kwargs)
        place = self._at.place
        self.peak = max(self.peak, self.live)
        reached = self.places.get(place)
        if reached is None or reached.bytes < self.live:
            self.places[place] = Reached(self.live, dict(self.live_parts))

    def _follow(self, storage: torch.UntypedStorage, address: int) -> None:
        size, part = storage.nbytes(), self._at.part
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
            return of.new_zeros((of.numel(), of.dim()), dtype=torch.int64)
        if of.dtype == torch.bool:
            return id(of) in self._passed
        return 1.0 if of.is_floating_point() else 0

    def _count(self, func: Any, args: tuple, kwargs: dict, result: Any, results: tuple) -> None:
        self._calls += costs.calls(func, args, self._at.way)
        self._flops += costs.flops(func, args, kwargs, result)
        self._bytes += costs.bytes_moved(func, args, kwargs, results)


def tell_meters(work: Work) -> None:
    """Have the meters that are under way count `work`, which a compiled chunk does."""
    for storages in _under_way:
        if isinstance(storages, Meter):
            storages.add(work)


_QUESTIONS = {
    _aten._local_scalar_dense.default, _aten.equal.default, _aten.unique_dim.default,
    _aten.nonzero.default,
}  # fmt: skip
_TESTS = {_aten.all.default, _aten.isfinite.default, _aten.all.dim}


class AtWork(NamedTuple):
    """What the code at work says of an operation that it calls."""

    place: Place
    """Where an estimator's code is."""
    part: str
    """For what it makes storages there."""
    way: Way


class _Told(NamedTuple):
    """What a function that is at work says."""

    is_place: bool
    rank: int
    """Of its part."""
    way: str
    """What it does to the operations below it."""


def _at_work(frame: FrameType | None, within: FrameType | None) -> AtWork:
    """Told by `frame`, which calls, and those around it as far as `within`: where the meter was
    begun, so that who asked for a trace is no part of a place."""
    place: list[tuple[int, int]] = []
    rank, ways = len(PARTS), []
    while frame is not None:
        told = _TOLD.get(frame.f_code)
        if told is None:
            told = _TOLD[frame.f_code] = _tell(frame.f_code)
        if told.is_place:
            place.append((id(frame.f_code), frame.f_lineno))
        if told.way:
            ways.append(told.way)
        rank = min(rank, told.rank)
        frame = None if frame is within else frame.f_back
    if rank < len(PARTS):
        part = PARTS[rank][0]
    else:
        part = "graph" if torch.is_grad_enabled() else "inner_state"
    return AtWork(tuple(place), part, Way("recorded" in ways, ways.count("mapped")))


_TRANSFORMS = {
    ("fx/experimental/proxy_tensor.py", "dispatch_trace"): "recorded",
    ("_functorch/vmap.py", "_flat_vmap"): "mapped",
}
_TOLD: dict[CodeType, _Told] = {}


def _tell(code: CodeType) -> _Told:
    file, name = code.co_filename, code.co_name
    way = next(
        (w for (path, of), w in _TRANSFORMS.items() if of == name and file.endswith(path)), ""
    )
    within = file.startswith(_ENGINE) or "inner_tasks" in file
    ranks = (
        rank
        for rank, (_, where, function) in enumerate(PARTS)
        if within and file.startswith(f"{_ENGINE}/{where}") and function in (None, name)
    )
    return _Told(file.startswith(_PLACES), next(ranks, len(PARTS)), way)
