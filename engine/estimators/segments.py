"""Where a checkpointed adjoint cuts the inner loop: segments that shrink towards its end.

A kept state costs S bytes and one step's graph A bytes. On the way back the states of the segments
still to come and the graph of one segment are alive at once. Equal segments leave unused what the
later ones have freed; where the j-th segment from the end is j · S/A steps long, the sum stays the
same all the way, and is √(2TSA) instead of the 2√(TSA) of equal segments of √(TS/A) steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine import trees
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
    """What the graph of one more step keeps alive: tensors saved by step 1 and not by step 0.

    Found by taking both steps. What every step saves again, such as θ or a whole data set, costs
    nothing more.
    """
    split = trees.Split(state)
    tracked = dict(zip(meta, trees.tracked(list(meta.values())), strict=True))
    with torch.enable_grad():
        following, before = _saved(problem, split.joined(trees.tracked(split.leaves)), tracked, 0)
        _, saved = _saved(problem, following, tracked, 1)
    return sum(size for storage, size in saved.items() if storage not in before)


def _saved(problem: Problem, state: State, meta: Meta, t: int) -> tuple[State, dict[int, int]]:
    """s_{t+1}, and the storages that its graph keeps, with their bytes."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        return problem.step(state, meta, t), kept
