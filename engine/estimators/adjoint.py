"""Rolling the inner loop forward, and pulling the adjoint back through a segment of it.

    λ_T = ∂F/∂s_T;   ĝ += λ_{t+1}ᵀ ∂Φ_t/∂θ + c_t ∂ℓ_t/∂θ;   λ_t = λ_{t+1}ᵀ ∂Φ_t/∂s + c_t ∂ℓ_t/∂s

Unrolled and truncated estimators differ only in which segments they pull back through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine import trees
from engine.estimators.estimator import loss_weight
from engine.problem import Meta, Problem, State

Leaves = list[Tensor]


@dataclass(kw_only=True)
class PulledBack:
    """What one segment gives: its part of the meta-loss and of ĝ, and the adjoint at its start."""

    end: State
    """s_stop, cut from the graph."""
    meta_loss: Tensor
    by_meta: Leaves
    by_state: Leaves


def roll(
    problem: Problem,
    state: State,
    meta: Meta,
    start: int,
    stop: int,
    *,
    visit: Callable[[int, State], None] | None = None,
) -> tuple[State, Tensor | float]:
    """s_stop from s_start, and Σ c_t ℓ_t over t = start + 1 … stop.

    `visit(t, s_t)` sees the state before every step. Builds a graph unless called under no_grad.
    """
    loss: Tensor | float = 0.0
    for t in range(start, stop):
        if visit is not None:
            visit(t, state)
        state = problem.step(state, meta, t)
        weight = loss_weight(problem, t + 1)
        if weight:
            loss = loss + weight * problem.meta_loss(state, meta, t + 1)
    return state, loss


def pull_back(
    problem: Problem, state: State, meta: Meta, start: int, stop: int, adjoint: Leaves | None
) -> PulledBack:
    """Replay steps start … stop − 1 with a graph and pull `adjoint` (∂F/∂s_stop) back to s_start.

    No adjoint means that nothing after s_stop counts. The graph of stop − start steps is alive
    at once: that is the memory of this call.
    """
    split = trees.Split(state)
    leaves = trees.tracked(split.leaves)
    names = list(meta)
    tracked_meta = dict(zip(names, trees.tracked(list(meta.values())), strict=True))
    with torch.enable_grad():
        end, loss = roll(problem, split.joined(leaves), tracked_meta, start, stop)
    outputs, by_outputs = [], []
    if adjoint is not None:
        outputs, by_outputs = trees.Split(end).leaves, list(adjoint)
    if isinstance(loss, Tensor):
        outputs, by_outputs = [*outputs, loss], [*by_outputs, torch.ones_like(loss)]
    end = trees.detached(end)
    inputs = [*leaves, *tracked_meta.values()]
    by_inputs = trees.gradients(outputs, inputs, by_outputs)
    return PulledBack(
        end=end,
        meta_loss=torch.as_tensor(loss).detach(),
        by_state=by_inputs[: len(leaves)],
        by_meta=by_inputs[len(leaves) :],
    )


def pull_back_through_start(problem: Problem, meta: Meta, seed: int, adjoint: Leaves) -> Leaves:
    """λ_0ᵀ ∂s_0/∂θ."""
    tracked_meta = dict(zip(meta, trees.tracked(list(meta.values())), strict=True))
    with torch.enable_grad():
        leaves = trees.Split(problem.initial_state(tracked_meta, seed)).leaves
    return trees.gradients(leaves, list(tracked_meta.values()), adjoint)
