"""First-order estimates: no second derivatives.

    FOMAML   λ flows through the update rule alone: λ_t = λ_{t+1}ᵀ ∂U_t/∂s (+ c_t ∂ℓ_t/∂s_t) with
             the inner gradient g_t held still (Finn, Abbeel and Levine, 2017), which also gives
             every meta-parameter of the rule a gradient (as Luketina et al., 2016, do for the
             last step): under gradient descent λ_t = (1 − α_t λ_decay) λ_{t+1}, and without decay
             ĝ of w_0 is Σ_t c_t ∂ℓ_t/∂w_t
    Reptile  ĝ = w_0 − w_T (Nichol, Achiam and Schulman, 2018), for initial parameters only

Reptile never looks at the meta-loss, and its scale is that of the way the learner went: gradient
descent on it at rate ε moves θ by the fraction ε towards w_T. What the parameters get is pulled
back through w_0(θ), which is the identity where θ is the initialisation itself.
"""

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine import trees
from engine.estimators.adjoint import pull_back_through_start
from engine.estimators.backpropagation import backpropagated
from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator
from engine.estimators.gradient_paths import FirstOrder, has_inner_gradient
from engine.problem import Meta, Problem
from engine.rolling import roll
from engine.spec import estimators as options


class FOMAML(Estimator):
    """The adjoint recurrence as if every second derivative of the inner loss were zero.

    Where a step does not come apart into an inner gradient and an update, λ passes its parameters
    unchanged, and only initial parameters can be learned.
    """

    options_type = options.FOMAML

    def check(self, problem: Problem) -> None:
        if not has_inner_gradient(problem):
            _check_only_initial_params(problem, "fomaml without an inner gradient")
            return
        for name, reached in _reached(problem).items():
            if not reached:
                raise ValueError(
                    f"fomaml leaves second derivatives out, and {name!r} acts through them alone: "
                    "it plays no part in the update rule, the initial state or the meta-loss"
                )

    def ways(self, problem: Problem) -> tuple[Problem, Problem]:
        """The inner loop that the adjoint is pulled back through, and the one that runs ahead."""
        return FirstOrder(problem), problem

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        way_back, forward = self.ways(problem)
        found = backpropagated(
            way_back, meta, carry["seed"], storage=self.options.storage, forward=forward
        )
        steps = problem.horizon + found.replayed
        return Estimate(
            gradient=found.gradient,
            meta_loss=found.meta_loss,
            cost=Cost(inner_steps=steps, gradient_evaluations=steps),
            health=found.norms.health(),
        )


class Reptile(Estimator):
    """The way from the learned parameters back to the first ones."""

    options_type = options.Reptile
    derivative = "the way of the parameters"

    def check(self, problem: Problem) -> None:
        _check_only_initial_params(problem, "reptile")

    @torch.no_grad()
    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        horizon, seed = problem.horizon, carry["seed"]
        start = problem.initial_state(meta, seed)
        end, meta_loss = roll(problem, start, meta, 0, horizon)
        last = trees.Split(trees.ordered(end["params"], start["params"])).leaves
        first = trees.Split(start["params"]).leaves
        # What else s_0 holds gets none.
        adjoint = pytree.tree_map(torch.zeros_like, start)
        adjoint["params"] = trees.Split(start["params"]).joined(torch._foreach_sub(first, last))
        gradient = pull_back_through_start(problem, meta, seed, trees.Split(adjoint).leaves)
        return Estimate(
            gradient=dict(zip(meta, gradient, strict=True)),
            meta_loss=float(meta_loss),
            cost=Cost(inner_steps=horizon, gradient_evaluations=horizon),
        )


def _check_only_initial_params(problem: Problem, name: str) -> None:
    """Raise `ValueError` for a θ that plays no part in w_0."""
    meta = trees.tracked_meta(problem.initial_meta(0))
    with torch.enable_grad():
        start = trees.Split(problem.initial_state(meta, 0)["params"]).leaves
    for key, reached in _used(start, meta).items():
        if not reached:
            raise ValueError(
                f"{name} learns the initial parameters only, and {key!r} plays no part in them"
            )


def _reached(problem: Problem) -> dict[str, bool]:
    """Whether each θ plays a part in s_0, in the update of step 0 or in the meta-loss."""
    meta, horizon = trees.tracked_meta(problem.initial_meta(0)), problem.horizon
    with torch.enable_grad():
        start = problem.initial_state(meta, 0)
        following = FirstOrder(problem).step(start, meta, 0)
        loss = problem.meta_loss(following, meta, horizon)
    return _used([*trees.Split(start).leaves, *trees.Split(following).leaves, loss], meta)


def _used(outputs: list[Tensor], meta: Meta) -> dict[str, bool]:
    outputs = [leaf for leaf in outputs if leaf.requires_grad]
    if not outputs:
        return dict.fromkeys(meta, False)
    found = torch.autograd.grad(
        outputs, list(meta.values()), [torch.ones_like(leaf) for leaf in outputs], allow_unused=True
    )
    return {name: by is not None for name, by in zip(meta, found, strict=True)}
