"""The meta-loss by a problem's contract, and how it changes along a direction of θ."""

from collections.abc import Callable

import torch
from torch import Tensor

from engine.problem import Meta, Problem, State


@torch.no_grad()
def meta_loss(problem: Problem, meta: Meta, seed: int = 0) -> float:
    """F(θ)."""
    return float(followed(problem, meta, problem.step, seed)[1])


def followed(
    problem: Problem, meta: Meta, step: Callable[[State, Meta, int], State], seed: int = 0
) -> tuple[State, Tensor]:
    """The state in which an inner loop of `step` ends, and the meta-loss of the way there."""
    state, losses = problem.initial_state(meta, seed), []
    for t in range(problem.horizon):
        state = step(state, meta, t)
        losses.append(problem.meta_loss(state, meta, t + 1))
    return state, losses[-1] if problem.objective == "final" else torch.stack(losses).mean()


def along(meta: Meta, direction: Tensor, distance: float) -> Meta:
    """θ + distance · direction, with the direction given as one flat vector."""
    parts = direction.split([leaf.numel() for leaf in meta.values()])
    return {
        name: leaf + distance * part.reshape(leaf.shape)
        for (name, leaf), part in zip(meta.items(), parts, strict=True)
    }


def slope(problem: Problem, meta: Meta, unit: Tensor, step: float) -> float:
    """The central difference of F along a flat vector of length 1."""
    ahead, behind = (meta_loss(problem, along(meta, unit, s)) for s in (step, -step))
    return (ahead - behind) / (2 * step)
