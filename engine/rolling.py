"""Rolling the inner loop forward: s_{t+1} = Φ_t(s_t, θ), and the meta-loss along the way."""

from __future__ import annotations

from torch import Tensor

from engine.problem import Meta, Problem, State


def roll(
    problem: Problem, state: State, meta: Meta, start: int, stop: int
) -> tuple[State, Tensor | float]:
    """s_stop from s_start, and Σ c_t ℓ_t over t = start + 1 … stop (0.0 where no ℓ_t counts).

    Builds a graph unless called under no_grad. A problem may have a `roll(state, meta, start,
    stop)` of its own that gives the same, faster.
    """
    if hasattr(problem, "roll"):
        return problem.roll(state, meta, start, stop)
    loss: Tensor | float = 0.0
    for t in range(start, stop):
        state = problem.step(state, meta, t)
        weight = loss_weight(problem, t + 1)
        if weight:
            loss = loss + weight * problem.meta_loss(state, meta, t + 1)
    return state, loss


def loss_weight(problem: Problem, t: int) -> float:
    """c_t, the weight of ℓ_t in the meta-loss."""
    if problem.objective == "average":
        return 1.0 / problem.horizon
    return 1.0 if t == problem.horizon else 0.0
