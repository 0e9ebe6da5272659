"""Implicit differentiation at the end of the inner loop: memory does not grow with T.

At a stationary point of the inner loss L(w, θ),

    dF/dθ = ∂F/∂θ − vᵀ ∂²L/∂w∂θ,     (H + δI) v = ∂F/∂w,     H = ∂²L/∂w².

Only w_T is used, so the estimate is as good as w_T is stationary and the solve is accurate: the
inner-gradient norm and the solver's residual are in the health record.

θ moves little in one outer step, and so does v: a warm start takes up the solve where the last
outer step left it, and a few iterations each time add up to many.
"""

import torch

from engine import trees
from engine.estimators.estimate import Cost, Estimate, Health
from engine.estimators.estimator import Carry, Estimator
from engine.estimators.final_slopes import final_slopes
from engine.estimators.linear_solvers import SOLVERS
from engine.estimators.second_derivatives import PRODUCTS, InnerLoss, check_second_derivatives
from engine.problem import Meta, Problem, inner_loss_of
from engine.rolling import roll
from engine.spec import estimators as options
from engine.trees import Leaves

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
        if self.options.products == "exact":
            meta = problem.initial_meta(0)
            params = trees.Split(problem.initial_state(meta, 0)["params"])
            loss = _inner_loss(problem, params, meta, 0)
            check_second_derivatives(loss, params.leaves, list(meta.values()))

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        return self.advance(problem, meta, carry)[0]

    def advance(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[Estimate, Carry]:
        """With a warm start, the carry has `solution`: v, nothing where it was not finite."""
        with torch.no_grad():
            state = problem.initial_state(meta, carry["seed"])
            state, _ = roll(problem, state, meta, 0, problem.horizon)
        split, theta = trees.Split(state["params"]), list(meta.values())
        meta_loss, by_w, by_theta = final_slopes(problem, state, meta, problem.horizon)
        products = PRODUCTS[self.options.products](
            _inner_loss(problem, split, meta, carry["seed"]), split.leaves, theta
        )
        damping = self.options.damping

        def damped(vector: Leaves) -> Leaves:
            """(H + δI) v."""
            return torch._foreach_add(products.hessian(vector), vector, alpha=damping)

        solve = SOLVERS[self.options.solver]
        solution = solve(damped, by_w, self.options, carry.get("solution"))
        curved, mixed = products.hessian_and_mixed(solution.vector)
        curved = torch._foreach_add(curved, solution.vector, alpha=damping)
        residual = _residual(curved, by_w)
        estimate = Estimate(
            gradient=dict(zip(meta, torch._foreach_sub(by_theta, mixed), strict=True)),
            meta_loss=meta_loss,
            cost=Cost(
                inner_steps=problem.horizon,
                gradient_evaluations=problem.horizon + products.gradient_evaluations,
                hessian_vector_products=products.hessian_vector_products,
            ),
            health=Health(
                residual=residual,
                negative_curvature=solution.negative_curvature,
                inner_gradient_norm=float(trees.norm(products.gradient)),
                notes=[*solution.notes, *_doubt(residual)],
            ),
        )
        if not self.options.warm_start:
            return estimate, carry
        finite = all(bool(leaf.isfinite().all()) for leaf in solution.vector)
        return estimate, {**carry, "solution": solution.vector if finite else None}


def _inner_loss(problem: Problem, params: trees.Split, meta: Meta, seed: int) -> InnerLoss:
    """L(w, θ), of the leaves of trees like `params` and `meta`."""
    inner_loss = inner_loss_of(problem, seed)

    def loss(w: Leaves, theta: Leaves) -> torch.Tensor:
        return inner_loss(params.joined(w), dict(zip(meta, theta, strict=True)))

    return loss


def _residual(product: Leaves, right: Leaves) -> float:
    """‖(H + δI) v − b‖ / ‖b‖ from the product (H + δI) v; 0 where b is 0."""
    size = float(trees.norm(right))
    if size == 0.0:
        return 0.0
    return float(trees.norm(torch._foreach_sub(product, right))) / size


def _doubt(residual: float) -> list[str]:
    if residual <= LARGE_RESIDUAL:
        return []
    return [f"the linear solve left a residual of {residual:.0%}: do not trust this estimate"]
