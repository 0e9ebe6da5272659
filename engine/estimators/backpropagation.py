"""Backpropagation through the whole inner loop, at one of three prices in memory.

`full` keeps the graph of all T steps: O(T · step graph). `checkpoint` keeps s_t at the start of
every segment and replays one segment's graph at a time (Griewank and Walther, 2000):
O(√(T · |s| · step graph)) for one more forward pass. Replaying with the segment's graphs kept
costs less time than rebuilding every step's graph again inside a segment. `per_step` keeps every
s_t, and one step's graph at a time: O(T · |s| + step graph), segments of one step.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch

from engine import trees
from engine.estimators import segments
from engine.estimators.adjoint import AdjointNorms, pull_back, pull_back_through_start
from engine.estimators.offloading import graph_on_host, on_host
from engine.problem import Meta, Problem, State
from engine.rolling import roll

Storage = Literal["full", "per_step", "checkpoint"]


@dataclass(kw_only=True)
class Backpropagated:
    """The gradient of the whole loop's meta-loss, and what its way back met."""

    gradient: Meta
    meta_loss: float
    replayed: int
    """Steps that ran twice."""
    norms: AdjointNorms


def backpropagated(
    problem: Problem,
    meta: Meta,
    seed: int,
    *,
    storage: Storage,
    segment: int | None = None,
    offload: bool = False,
    forward: Problem | None = None,
) -> Backpropagated:
    """ĝ through the steps of `problem`; `forward` gives the same states without a graph, faster.

    `offload` keeps on the CPU what waits for the way back: the states, or the graph of `full`.
    """
    horizon, forward = problem.horizon, forward or problem
    device = next(iter(meta.values())).device
    with torch.no_grad():
        state = problem.initial_state(meta, seed)
        starts = _whole_chunks(problem, _starts(problem, state, meta, storage, segment))
        checkpoints: list[State] = []
        for start, stop in pairwise(starts):
            checkpoints.append(on_host(state) if offload else state)
            state, _ = roll(forward, state, meta, start, stop)
        checkpoints.append(state)
    del state

    adjoint, meta_loss, norms = None, 0.0, AdjointNorms()
    gradient = [torch.zeros_like(leaf) for leaf in meta.values()]
    for start, stop in reversed([*pairwise([*starts, horizon])]):
        state = trees.on_device(checkpoints.pop(), device)
        with graph_on_host(meta, wanted=offload and storage == "full"):
            part = pull_back(problem, state, meta, start, stop, adjoint)
        del state
        adjoint = part.by_state
        norms.note(start, adjoint)
        meta_loss = meta_loss + part.meta_loss
        torch._foreach_add_(gradient, part.by_meta)
    by_start = pull_back_through_start(problem, meta, seed, adjoint)
    torch._foreach_add_(gradient, by_start)
    return Backpropagated(
        gradient=dict(zip(meta, gradient, strict=True)),
        meta_loss=float(meta_loss),
        replayed=starts[-1],
        norms=norms,
    )


def _starts(
    problem: Problem, state: State, meta: Meta, storage: Storage, segment: int | None
) -> list[int]:
    """First steps of the segments, in order; `state` is s_0."""
    horizon = problem.horizon
    if storage == "full" or horizon == 1:
        return [0]
    if storage == "per_step":
        return list(range(horizon))
    if segment:
        return list(range(0, horizon, segment))
    return segments.shrinking(
        horizon,
        state_bytes=segments.bytes_of_state(state),
        step_bytes=segments.bytes_of_step(problem, state, meta),
    )


def _whole_chunks(problem: Problem, starts: list[int]) -> list[int]:
    """`starts` moved to where a chunk begins, if the problem runs several steps at once."""
    chunk = getattr(problem, "chunk", 1)
    return sorted({start // chunk * chunk for start in starts})
