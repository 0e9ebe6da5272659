"""First-order estimates for a learned initialisation: no second derivatives, memory constant in T.

Both take dw_t/dw_0, a product of T matrices I − α_t H_t under gradient descent, as the identity:

    FOMAML   ĝ = Σ_t c_t ∂ℓ_t/∂w_t      (Finn, Abbeel and Levine, 2017)
    Reptile  ĝ = w_0 − w_T              (Nichol, Achiam and Schulman, 2018)

Reptile never looks at the meta-loss, and its scale is that of the way the learner went: gradient
descent on it at rate ε moves θ by the fraction ε towards w_T. What the parameters get is pulled
back through w_0(θ), which is the identity where θ is the initialisation itself.
"""

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine import trees
from engine.estimators.adjoint import pull_back_through_start
from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator
from engine.problem import Meta, Problem, State
from engine.rolling import loss_weight, roll
from engine.spec import estimators as options

Leaves = list[Tensor]


class _FirstOrder(Estimator):
    """What both refuse, and how ĝ of w_0 becomes ĝ of θ."""

    def check(self, problem: Problem) -> None:
        meta = problem.initial_meta(0)
        tracked = dict(zip(meta, trees.tracked(list(meta.values())), strict=True))
        with torch.enable_grad():
            start = trees.Split(problem.initial_state(tracked, 0)["params"]).leaves
            moved = [leaf.sum() for leaf in start if leaf.requires_grad]
        found = (
            torch.autograd.grad(moved, list(tracked.values()), allow_unused=True)
            if moved
            else [None] * len(meta)
        )
        for name, by_leaf in zip(meta, found, strict=True):
            if by_leaf is None:
                raise ValueError(
                    f"{self.options.kind} learns the initial parameters only, "
                    f"and {name!r} plays no part in them"
                )

    def _by_theta(self, problem: Problem, meta: Meta, seed: int, by_start: Leaves) -> Meta:
        """ĝ of w_0 pulled back through w_0(θ); what else s_0 holds gets none."""
        state = problem.initial_state(meta, seed)
        adjoint = pytree.tree_map(torch.zeros_like, state)
        adjoint["params"] = trees.Split(state["params"]).joined(by_start)
        adjoint = trees.Split(adjoint).leaves
        gradient = pull_back_through_start(problem, meta, seed, adjoint)
        return dict(zip(meta, gradient, strict=True))


class FOMAML(_FirstOrder):
    """The gradient of the meta-loss at the learned parameters, taken for that at the first ones."""

    options_type = options.FOMAML
    derivative = "the gradient of the meta-loss"

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        horizon, seed = problem.horizon, carry["seed"]
        with torch.no_grad():
            state = problem.initial_state(meta, seed)
        meta_loss, by_start = 0.0, None
        for t in range(horizon):
            with torch.no_grad():
                state = problem.step(state, meta, t)
            weight = loss_weight(problem, t + 1)
            if weight:
                loss, by_w = _by_params(problem, state, meta, t + 1)
                meta_loss = meta_loss + weight * loss
                scaled = torch._foreach_mul(by_w, weight)
                by_start = scaled if by_start is None else torch._foreach_add(by_start, scaled)
        return Estimate(
            gradient=self._by_theta(problem, meta, seed, by_start),
            meta_loss=float(meta_loss),
            cost=Cost(inner_steps=horizon, gradient_evaluations=horizon),
        )


class Reptile(_FirstOrder):
    """The way from the learned parameters back to the first ones."""

    options_type = options.Reptile
    derivative = "the way of the parameters"

    @torch.no_grad()
    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        horizon, seed = problem.horizon, carry["seed"]
        start = problem.initial_state(meta, seed)
        end, meta_loss = roll(problem, start, meta, 0, horizon)
        first, last = (trees.Split(state["params"]).leaves for state in (start, end))
        way = torch._foreach_sub(first, last)
        return Estimate(
            gradient=self._by_theta(problem, meta, seed, way),
            meta_loss=float(meta_loss),
            cost=Cost(inner_steps=horizon, gradient_evaluations=horizon),
        )


def _by_params(problem: Problem, state: State, meta: Meta, t: int) -> tuple[Tensor, Leaves]:
    """ℓ_t and ∂ℓ_t/∂w_t."""
    split = trees.Split(state["params"])
    w = trees.tracked(split.leaves)
    with torch.enable_grad():
        loss = problem.meta_loss({**state, "params": split.joined(w)}, meta, t)
    return loss.detach(), trees.gradients([loss], w, [torch.ones_like(loss)])
