"""Memory and work of an adjoint with checkpoints, whose segments follow a schedule.

On the way back through segment j the states at the starts of segments 0 … j are alive, what the
segment after it gave, and the graph of its own steps:

    peak = max_j (j + 1) S + R + P(L_j)          (and for the last segment, the meta-loss)

The starts are those of the estimator's own schedule at the real horizon. S, R and P are traced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine import trees
from engine.estimators import FOMAML, Unrolled
from engine.estimators.adjoint import pull_back
from engine.estimators.backpropagation import _whole_chunks
from engine.estimators.segments import bytes_of_state, bytes_of_step, shrinking
from engine.forecast.fakes import horizon
from engine.forecast.meter import Reached
from engine.forecast.records import Work
from engine.forecast.sizes import Lines, Size, with_part
from engine.forecast.tracing import Trace, Traced
from engine.problem import Problem
from engine.rolling import roll


@dataclass(frozen=True)
class Pieces:
    """What the whole is put together from; it does not depend on the horizon."""

    shrinking: dict[str, int]
    """What the schedule of the segments follows."""
    state_bytes: int
    """S: what a kept state holds that no other does."""
    gradient_bytes: int
    """What a step that runs ahead leaves for its replay."""
    theta_bytes: int
    ahead: Work
    """Of a step that runs ahead, without a graph."""
    lengths: tuple[int, int]
    """Of the segments on whose line the longer ones lie."""
    segments: dict[tuple[int, ...], Lines]
    """Of the way back through a segment before the last one: a short one by its length, and the
    line through `lengths`."""


def pieces(
    subject: Traced,
    problem: Problem,
    part: Unrolled | FOMAML,
    *,
    unit: int,
) -> Pieces:
    """Those of `problem`, whose steps run `unit` at once."""
    meta = subject.meta
    # One step after another comes only from the second on: a line goes through the last two.
    lengths = unit, 2 * unit, 3 * unit
    with subject.mode, torch.no_grad(), horizon(problem, 10 * unit), subject.meter():
        way_back, forward = part.ways(problem)
        state = problem.initial_state(meta, subject.seed)
        state, _ = roll(problem, state, meta, 0, 2 * unit)
        # Once before it counts: what is recorded at the first step.
        roll(forward, state, meta, 0, unit)
        pull_back(way_back, state, meta, 0, unit, trees.Split(state).leaves)
        with subject.meter() as stepped:
            following, _ = roll(problem, state, meta, unit, 2 * unit)
        state_bytes = stepped.live
        with subject.meter() as ahead:
            roll(forward, state, meta, unit, 2 * unit)
        saved = getattr(way_back, "_saved", {})
        gradient_bytes = 0
        if saved:
            gradient_bytes = _bytes(next(iter(saved.values())))
        segments = {}
        for length in lengths:
            adjoint = [torch.zeros_like(leaf) for leaf in trees.Split(following).leaves]
            saved.clear()
            with subject.meter() as meter:
                pull_back(way_back, following, meta, unit, unit + length, adjoint)
            segments[length] = Trace(meter.places, meter.work)
        step_bytes = bytes_of_step(way_back, state, meta)
    return Pieces(
        shrinking={"state_bytes": bytes_of_state(state), "step_bytes": step_bytes},
        state_bytes=state_bytes,
        gradient_bytes=gradient_bytes,
        theta_bytes=_bytes(meta),
        ahead=ahead.work * (1.0 / unit),
        lengths=lengths[1:],
        segments={
            **{(length,): Lines([trace]) for length, trace in segments.items()},
            lengths[1:]: Lines([segments[length] for length in lengths[1:]]),
        },
    )


def whole(
    problem: Problem,
    part: Unrolled | FOMAML,
    found: Pieces,
    *,
    steps: int,
    unit: int,
    without_checkpoints: Callable[[int], tuple[Reached, Work]],
) -> tuple[Reached, Work]:
    """Peak and work at a horizon of `steps`; `without_checkpoints` gives those of `storage: full`
    for an inner loop of so many steps, which is what the last segment is."""
    segment = getattr(part.options, "segment", None)
    starts = list(range(0, steps, segment)) if segment else shrinking(steps, **found.shrinking)
    starts = _whole_chunks(problem, starts)
    stops = [*starts[1:], steps]
    last, work = without_checkpoints(steps - starts[-1])
    kept = (len(starts) - 1) * found.state_bytes + starts[-1] * found.gradient_bytes
    peak = with_part(last, "kept_states", kept)
    longest: dict[int, int] = {}
    for index, (start, stop) in enumerate(zip(starts[:-1], stops[:-1], strict=True)):
        longest[stop - start] = index
    for length, index in longest.items():
        graph, _ = _segment(found, length)
        kept = (index + 1) * found.state_bytes + starts[index] * found.gradient_bytes
        given = 2 * found.state_bytes + 2 * found.theta_bytes
        candidate = with_part(with_part(graph, "kept_states", kept), "backward", given)
        if candidate.bytes > peak.bytes:
            peak = candidate
    _, one = _segment(found, unit)
    _, two = _segment(found, 2 * unit)
    each_step = (two + one * -1.0) * (1.0 / unit)
    each_segment = one + each_step * -unit
    replayed = starts[-1]
    work = work + each_step * replayed + each_segment * (len(starts) - 1) + found.ahead * replayed
    return peak, work + _counted(part, replayed)


def _counted(part: Unrolled | FOMAML, replayed: int) -> Work:
    """What the estimator counts of the steps before the last segment: each runs twice."""
    first_order = part.options.kind == "fomaml"
    saved = getattr(part.options, "save_gradients", False)
    return Work(
        inner_steps=2.0 * replayed,
        gradient_evaluations=(1.0 if saved else 2.0) * replayed,
        hessian_vector_products=0.0 if first_order else float(replayed),
    )


def _segment(found: Pieces, length: int) -> tuple[Reached, Work]:
    size = Size(length, *found.lengths)
    reached, work, _ = found.segments[size.traced].at({"steps": size})
    return reached, work


def _bytes(tree: dict) -> int:
    leaves = [leaf for leaf in pytree.tree_leaves(tree) if isinstance(leaf, Tensor)]
    return sum(leaf.numel() * leaf.element_size() for leaf in leaves)
