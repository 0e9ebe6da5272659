"""The exact meta-gradient g*, against which every estimate is measured."""

from __future__ import annotations

from engine.estimators.unrolled import Unrolled
from engine.problem import Meta, Problem


def oracle(problem: Problem, meta: Meta, seed: int) -> tuple[float, Meta]:
    """F(θ) and g*: in closed form where the problem has one, else by the checkpointed adjoint."""
    if hasattr(problem, "exact"):
        return problem.exact(meta, seed)
    exact = Unrolled(storage="checkpoint")
    estimate, _ = exact.estimate(problem, meta, exact.start(problem, meta, seed))
    return estimate.meta_loss, estimate.gradient
