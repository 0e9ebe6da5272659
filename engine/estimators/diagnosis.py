"""Why an estimate is not finite: where the inner loop broke, or that what came after it did."""

from __future__ import annotations

import math

import torch

from engine import trees
from engine.problem import Meta, Problem, State
from engine.rolling import loss_weight


@torch.no_grad()
def diagnosis(
    problem: Problem, meta: Meta, state: State, start: int, stop: int, *, otherwise: str
) -> str:
    """Where it broke, as part of a sentence: steps `start` … `stop` − 1 run again without a graph.

    `otherwise` names what must have broken where every state and loss is finite.
    """
    size = largest = _size(state)
    reached = start
    if not math.isfinite(size):
        return f"the inner state has norm {size} before inner step {start}"
    for t in range(start, stop):
        state = problem.step(state, meta, t)
        before, size = size, _size(state)
        if not math.isfinite(size):
            return (
                f"inner step {t} is the first bad one, where the norm of the state went from "
                f"{before:.3g} to {size}"
            )
        if loss_weight(problem, t + 1):
            loss = float(problem.meta_loss(state, meta, t + 1))
            if not math.isfinite(loss):
                return f"the loss after inner step {t} is {loss}, at a state of norm {size:.3g}"
        if size > largest:
            largest, reached = size, t + 1
    return (
        f"every inner state is finite (the largest, after {reached} steps, has norm "
        f"{largest:.3g}), so it is {otherwise} that broke"
    )


def _size(state: State) -> float:
    """The norm of all floating-point leaves."""
    return float(trees.norm(trees.Split(state).leaves))
