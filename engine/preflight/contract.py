"""Whether one inner step keeps the contract of `engine.problem`, without any derivative.

The step is run twice with the same arguments: other bits, or an argument that changed, mean that
replayed states are not those of the first pass, and every estimator would be silently wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine.obstacle import Obstacle
from engine.preflight.torch_words import fault, is_out_of_memory
from engine.problem import Meta, Problem, State

CLOSE = 1e-3
"""On CUDA sums may come in another order; differences up to this, relative, are only said."""


class Refused(Exception):
    """What makes every further check pointless."""

    def __init__(self, obstacle: Obstacle) -> None:
        self.obstacle = obstacle
        super().__init__(str(obstacle))


@dataclass
class FirstStep:
    """s_0, s_1 and ℓ as they came out, and what was said about them."""

    before: State
    after: State
    meta_loss: Tensor


def judged_at(problem: Problem) -> int:
    """The step number with which the meta-loss is asked after the first inner step."""
    return 1 if problem.objective == "average" else problem.horizon


@torch.no_grad()
def first_step(problem: Problem, meta: Meta, seed: int) -> FirstStep:
    """Run one step; raises `Refused` where it does not run or does not keep the contract."""
    before = tried("the initial state", lambda: problem.initial_state(meta, seed))
    _require_state("the initial state", before)
    given = _copies(before), _copies(meta)
    after = tried("an inner step", lambda: problem.step(before, meta, 0))
    _require_state("an inner step", after)
    _require_unchanged("an inner step", before, meta, *given)
    _require_same_form(before, after)
    loss = tried("the meta-loss", lambda: problem.meta_loss(after, meta, judged_at(problem)))
    _require_scalar(loss)
    return FirstStep(before, after, loss)


@torch.no_grad()
def warnings_and_errors(
    problem: Problem, meta: Meta, seed: int, step: FirstStep, precision: str | None
) -> Iterator[Obstacle]:
    """What a second run of the same step, its numbers and their formats say."""
    again = tried("the initial state", lambda: problem.initial_state(meta, seed))
    yield from _repetition("the initial state", step.before, again)
    again = tried("an inner step", lambda: problem.step(step.before, meta, 0))
    yield from _repetition("an inner step", step.after, again)
    yield from _formats(meta, step, precision)
    params = step.after.get("params", {})
    for what, leaf in [*_leaves(params), ("the meta-loss", step.meta_loss)]:
        if leaf.is_floating_point() and not leaf.isfinite().all():
            yield Obstacle(
                level="warning",
                need="finite numbers",
                reason=f"{what} is not finite after the first inner step",
                cure="a smaller learning rate, or other initial values",
            )


def tried(what: str, action: Callable[[], Any]) -> Any:
    """What `action` gives; raises `Refused` for what it raises, unless memory ran out."""
    try:
        return action()
    except Exception as error:
        if is_out_of_memory(error):
            raise
        found = fault(error)
        raise Refused(
            Obstacle(need=what, reason=found.reason, operation=found.operation, cure=found.rewrite)
        ) from error


def _require_state(what: str, state: Any) -> None:
    if not isinstance(state, dict):
        raise _broken(what, f"gives {type(state).__name__}, not a dict of tensors")
    if "params" not in state:
        raise _broken(what, "has no key 'params'", "name the learner's parameters 'params'")
    for name, leaf in _leaves(state):
        if not isinstance(leaf, Tensor):
            raise _broken(
                what,
                f"has {type(leaf).__name__} at {name}, where a tensor belongs",
                "torch.as_tensor(…) around it",
            )


def _require_unchanged(
    what: str, state: State, meta: Meta, state_before: list[Tensor], meta_before: list[Tensor]
) -> None:
    pairs = [*zip(_leaves(state), state_before, strict=True)]
    pairs += [*zip(_leaves(meta), meta_before, strict=True)]
    for (name, leaf), was in pairs:
        if not _same_bits(leaf, was):
            raise _broken(
                what,
                f"changes its argument {name} in place",
                "return new tensors (batch norm's running statistics too)",
            )


def _require_same_form(before: State, after: State) -> None:
    """Programs, segments and particles rely on states that look alike."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    if old.keys() != new.keys():
        changed = ", ".join(sorted(old.keys() ^ new.keys()))
        raise _broken("an inner step", f"gives a state of another structure ({changed})")
    for name, leaf in old.items():
        for aspect in ("shape", "dtype", "device"):
            was, became = getattr(leaf, aspect), getattr(new[name], aspect)
            if was != became:
                change = f"turns the {aspect} of {name} from {_plain(was)} into {_plain(became)}"
                raise _broken("an inner step", change)


def _require_scalar(loss: Any) -> None:
    if not isinstance(loss, Tensor):
        raise _broken("the meta-loss", f"is {type(loss).__name__}, not a tensor")
    if loss.ndim != 0 or not loss.is_floating_point():
        raise _broken(
            "the meta-loss",
            f"has shape {_plain(loss.shape)} and dtype {_plain(loss.dtype)}, "
            "where one real number belongs",
            "its mean or sum",
        )


def _repetition(what: str, first: State, again: State) -> Iterator[Obstacle]:
    """Nothing where the bits are the same."""
    for (name, one), other in zip(_leaves(first), pytree.tree_leaves(again), strict=True):
        if _same_bits(one, other):
            continue
        is_close = one.is_cuda and torch.allclose(
            one.double(), other.double(), rtol=CLOSE, atol=CLOSE, equal_nan=True
        )
        yield Obstacle(
            level="warning" if is_close else "error",
            need=f"{what} that can be repeated",
            reason=f"{name} has other bits when it is computed again from the same arguments",
            cure="torch.use_deterministic_algorithms(True), or the CPU"
            if is_close
            else "draw random numbers from the seed and t alone, as engine.random_bits does, "
            "never from a global generator",
        )
        return


def _formats(meta: Meta, step: FirstStep, precision: str | None) -> Iterator[Obstacle]:
    wanted = getattr(torch, precision) if precision else next(iter(meta.values())).dtype
    named = [*_leaves(meta), *_leaves(step.before), ("the meta-loss", step.meta_loss)]
    for name, leaf in named:
        if leaf.is_floating_point() and leaf.dtype != wanted:
            yield Obstacle(
                level="error" if precision else "warning",
                need=f"every number in {_plain(wanted)}",
                reason=f"{name} is {_plain(leaf.dtype)}",
                cure="make it with the dtype that the problem was given",
            )
            return


def _broken(what: str, reason: str, cure: str = "") -> Refused:
    return Refused(Obstacle(need=what, reason=f"it {reason}", cure=cure))


def _plain(aspect: Any) -> str:
    """A shape, dtype or device as a person writes it."""
    if isinstance(aspect, torch.Size):
        return str(tuple(aspect))
    return str(aspect).removeprefix("torch.")


def _leaves(tree: Any) -> list[tuple[str, Any]]:
    """Every leaf with its path, such as `optimizer.mean.w`."""
    found, _ = pytree.tree_flatten_with_path(tree)
    return [
        (".".join(str(getattr(key, "key", getattr(key, "idx", key))) for key in path), leaf)
        for path, leaf in found
    ]


def _copies(tree: Any) -> list[Tensor]:
    return [leaf.clone() for leaf in pytree.tree_leaves(tree)]


def _same_bits(one: Tensor, other: Tensor) -> bool:
    if torch.equal(one, other):
        return True
    if not one.is_floating_point() or one.shape != other.shape:
        return False
    return bool(((one == other) | (one.isnan() & other.isnan())).all())
