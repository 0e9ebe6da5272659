"""Where a checkpointed adjoint cuts the inner loop: segments that shrink towards its end.

A kept state costs S bytes and one step's graph A bytes. On the way back the states of the segments
still to come and the graph of one segment are alive at once. Equal segments leave unused what the
later ones have freed; where the j-th segment from the end is j · S/A steps long, the sum stays the
same all the way, and is √(2TSA) instead of the 2√(TSA) of equal segments of √(TS/A) steps.
"""

from __future__ import annotations

import torch

from engine import trees
from engine.probes.memory import LiveStorages
from engine.problem import Meta, Problem, State


def shrinking(horizon: int, *, state_bytes: int, step_bytes: int) -> list[int]:
    """First steps of the segments, in order."""
    ratio = state_bytes / max(step_bytes, 1)
    starts: list[int] = []
    start = horizon
    while start > 0:
        length = max(1, round(ratio * (len(starts) + 1)))
        start = max(0, start - length)
        starts.append(start)
    return starts[::-1]


def bytes_of_state(state: State) -> int:
    return sum(leaf.untyped_storage().nbytes() for leaf in trees.Split(state).leaves)


def bytes_of_step(problem: Problem, state: State, meta: Meta) -> int:
    """What the graph of one more step keeps alive: two steps' graph less that of one.

    What every step saves again, such as θ or a whole data set, costs nothing more. Storages are
    followed from outside, as hooks on saved tensors would refuse a step with torch.func.grad.
    """
    return _bytes_of_graph(problem, state, meta, 2) - _bytes_of_graph(problem, state, meta, 1)


def _bytes_of_graph(problem: Problem, state: State, meta: Meta, steps: int) -> int:
    split = trees.Split(state)
    tracked = trees.tracked_meta(meta)
    state = split.joined(trees.tracked(split.leaves))
    with torch.enable_grad(), LiveStorages() as storages:
        for t in range(steps):
            state = problem.step(state, tracked, t)
        graph = [leaf.grad_fn for leaf in trees.Split(state).leaves]
        del state
        kept = storages.live
    del graph
    return kept
