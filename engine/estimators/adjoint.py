"""Pulling the adjoint back through a segment of the inner loop.

    λ_T = ∂F/∂s_T;   ĝ += λ_{t+1}ᵀ ∂Φ_t/∂θ + c_t ∂ℓ_t/∂θ;   λ_t = λ_{t+1}ᵀ ∂Φ_t/∂s + c_t ∂ℓ_t/∂s

Unrolled and truncated estimators differ only in which segments they pull back through.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from engine import trees
from engine.estimators.estimate import Health
from engine.problem import Meta, Problem, State
from engine.rolling import roll
from engine.trees import Leaves


@dataclass(kw_only=True)
class PulledBack:
    """What one segment gives: its part of the meta-loss and of ĝ, and the adjoint at its start."""

    end: State
    """s_stop, cut from the graph."""
    meta_loss: Tensor
    by_meta: Leaves
    by_state: Leaves


EXPLODED = 1e10
"""How many times its first norm an adjoint may grow to before the estimate's health says so."""


@dataclass
class AdjointNorms:
    """‖λ_t‖ at the starts of segments, in the order of the way back; read once, at its end."""

    starts: list[int] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)

    def note(self, start: int, adjoint: Leaves) -> None:
        self.starts.append(start)
        self.norms.append(trees.norm(adjoint))

    def health(self) -> Health:
        """The largest norm, and a sentence where the adjoint exploded or is not finite."""
        norms = torch.stack(self.norms)
        health = Health(adjoint_norm=float(norms.max()))
        values = dict(zip(self.starts, norms.tolist(), strict=True))
        for (before, size), (start, reached) in pairwise(values.items()):
            if math.isfinite(size) and not math.isfinite(reached):
                health.notes.append(
                    f"on its way back the adjoint broke before inner step {before}: its norm is "
                    f"{size:.3g} there, and {reached} before inner step {start}"
                )
                return health
        first, size = next(iter(values.items()))
        worst, reached = max(values.items(), key=lambda item: item[1])
        if reached > EXPLODED * size > 0.0:
            health.notes.append(
                f"on its way back the adjoint exploded: its norm grew from {size:.3g} before inner "
                f"step {first} to {reached:.3g} before inner step {worst}"
            )
        return health


def pull_back(
    problem: Problem, state: State, meta: Meta, start: int, stop: int, adjoint: Leaves | None
) -> PulledBack:
    """Replay steps start … stop − 1 with a graph and pull `adjoint` (∂F/∂s_stop) back to s_start.

    No adjoint means that nothing after s_stop counts. The graph of stop − start steps is alive
    at once: that is the memory of this call. A problem may have a `pull_back(state, meta, start,
    stop, adjoint)` of its own that gives the same, faster.
    """
    if hasattr(problem, "pull_back"):
        return problem.pull_back(state, meta, start, stop, adjoint)
    split = trees.Split(state)
    leaves = trees.tracked(split.leaves)
    tracked_meta = trees.tracked_meta(meta)
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
    tracked_meta = trees.tracked_meta(meta)
    with torch.enable_grad():
        leaves = trees.Split(problem.initial_state(tracked_meta, seed)).leaves
    return trees.gradients(leaves, list(tracked_meta.values()), adjoint)
