"""Implicit differentiation at the end of the inner loop: memory does not grow with T.

At a stationary point of the inner loss L(w, θ),

    dF/dθ = ∂F/∂θ − vᵀ ∂²L/∂w∂θ,     (H + δI) v = ∂F/∂w,     H = ∂²L/∂w².

Only w_T is used, so the estimate is as good as w_T is stationary and the solve is accurate: the
inner-gradient norm and the solver's residual are in the health record.
"""

import torch

from engine import trees
from engine.estimators.estimate import Cost, Estimate, Health
from engine.estimators.estimator import Carry, Estimator
from engine.estimators.linear_solvers import SOLVERS, Leaves
from engine.problem import Meta, Problem
from engine.rolling import roll
from engine.spec import estimators as options

LARGE_RESIDUAL = 0.1
"""Above this the solve is said to be inaccurate."""


class Implicit(Estimator):
    """The implicit function theorem with a choice of solvers (Lorraine et al., 2020)."""

    options_type = options.Implicit
    derivative = "the linear solve"

    def check(self, problem: Problem) -> None:
        if not hasattr(problem, "inner_loss"):
            raise ValueError("implicit differentiation needs a problem with an inner_loss")
        if problem.objective != "final":
            raise ValueError("implicit differentiation sees only the final state: objective final")

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        with torch.no_grad():
            state = problem.initial_state(meta, carry["seed"])
            state, _ = roll(problem, state, meta, 0, problem.horizon)
        split = trees.Split(state["params"])
        w = trees.tracked(split.leaves)
        theta = trees.tracked(list(meta.values()))
        tracked_meta = dict(zip(meta, theta, strict=True))
        with torch.enable_grad():
            params = split.joined(w)
            meta_loss = problem.meta_loss(
                {**state, "params": params}, tracked_meta, problem.horizon
            )
            inner_loss = problem.inner_loss(params, tracked_meta)
            inner_gradient = torch.autograd.grad(
                inner_loss, w, create_graph=True, materialize_grads=True
            )
        by_both = trees.gradients([meta_loss], [*w, *theta], [torch.ones_like(meta_loss)])
        by_w, by_theta = by_both[: len(w)], by_both[len(w) :]

        def product(vector: Leaves) -> Leaves:
            """(H + δI) v, from the one graph of the inner gradient."""
            curved = trees.gradients(inner_gradient, w, vector, retain_graph=True)
            return torch._foreach_add(curved, vector, alpha=self.options.damping)

        solution = SOLVERS[self.options.solver](product, by_w, self.options)
        mixed = trees.gradients(inner_gradient, theta, solution.vector, retain_graph=True)
        gradient = torch._foreach_sub(by_theta, mixed)
        residual = _residual(product, solution.vector, by_w)
        return Estimate(
            gradient=dict(zip(meta, gradient, strict=True)),
            meta_loss=meta_loss.item(),
            cost=Cost(
                inner_steps=problem.horizon,
                gradient_evaluations=problem.horizon + 1,
                hessian_vector_products=solution.products + 1,
            ),
            health=Health(
                residual=residual,
                negative_curvature=solution.negative_curvature,
                inner_gradient_norm=float(trees.norm([g.detach() for g in inner_gradient])),
                notes=[*solution.notes, *_doubt(residual)],
            ),
        )


def _residual(product, vector: Leaves, right: Leaves) -> float:
    """‖(H + δI) v − b‖ / ‖b‖; 0 where b is 0."""
    size = float(trees.norm(right))
    if size == 0.0:
        return 0.0
    return float(trees.norm(torch._foreach_sub(product(vector), right))) / size


def _doubt(residual: float) -> list[str]:
    if residual <= LARGE_RESIDUAL:
        return []
    return [f"the linear solve left a residual of {residual:.0%}: do not trust this estimate"]
