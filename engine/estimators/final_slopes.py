"""The direct derivatives of the meta-loss at a state, by its parameters and by θ."""

import torch

from engine import trees
from engine.problem import Meta, Problem, State
from engine.trees import Leaves


def final_slopes(
    problem: Problem, state: State, meta: Meta, t: int
) -> tuple[float, Leaves, Leaves]:
    """ℓ_t, ∂ℓ_t/∂w and ∂ℓ_t/∂θ at `state`."""
    split = trees.Split(state["params"])
    w, theta = trees.tracked(split.leaves), trees.tracked(list(meta.values()))
    with torch.enable_grad():
        loss = problem.meta_loss(
            {**state, "params": split.joined(w)}, dict(zip(meta, theta, strict=True)), t
        )
    both = trees.gradients([loss], [*w, *theta], [torch.ones_like(loss)])
    return loss.item(), both[: len(w)], both[len(w) :]
