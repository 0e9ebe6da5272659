"""Implicit differentiation and its solvers against closed forms, in float64."""

import pytest
import torch

from engine import estimate
from engine.estimators.linear_solvers import (
    conjugate_gradients,
    exact,
    identity,
    neumann,
)
from engine.spec.estimators import Implicit as Options
from tests.engine.problems import quadratic
from tests.engine.saddle import Saddle, symmetric, symmetric_basis

DECAY = {"kind": "weight_decay", "granularity": "per_parameter", "initial": 0.3}
CONVERGED = {"optimizer": {"kind": "sgd", "learning_rate": 0.7}, "steps": 2000}


def stationary_gradient(problem) -> torch.Tensor:
    """dF/dλ at w* = h c / (h + λ), where dw*/dλ = −w* / (h + λ)."""
    task = problem.task
    optimum = task.curvature * task.optimum / (task.curvature + 0.3)
    return -(optimum - task.validation_optimum) * optimum / (task.curvature + 0.3)


@pytest.mark.parametrize(
    "solver",
    [
        {"solver": "cg", "iterations": 7},
        {"solver": "neumann", "iterations": 400, "step_size": 0.7},
        {"solver": "normal_cg", "iterations": 20},
        {"solver": "exact"},
    ],
    ids=str,
)
def test_stationary_point_in_closed_form(solver: dict) -> None:
    problem = quadratic(DECAY, **CONVERGED)
    found = estimate(problem, {"kind": "implicit", **solver}, problem.initial_meta(0))
    torch.testing.assert_close(
        found.gradient["weight_decay.w"], stationary_gradient(problem), rtol=1e-9, atol=1e-12
    )
    assert found.health.residual < 1e-9
    assert found.health.negative_curvature is False
    assert found.health.inner_gradient_norm < 1e-9


def test_identity_replaces_the_hessian_by_the_identity() -> None:
    problem = quadratic(DECAY, **CONVERGED)
    found = estimate(problem, {"kind": "implicit", "solver": "identity"}, problem.initial_meta(0))
    expected = stationary_gradient(problem) * (problem.task.curvature + 0.3)
    torch.testing.assert_close(found.gradient["weight_decay.w"], expected, rtol=1e-9, atol=1e-12)
    assert "do not trust" in found.health.notes[0]


def test_a_loop_that_stops_early_says_that_it_is_not_stationary() -> None:
    problem = quadratic(DECAY, steps=3)
    found = estimate(problem, {"kind": "implicit"}, problem.initial_meta(0))
    assert found.health.inner_gradient_norm > 0.1


EIGENVALUES = [0.16, 0.5, 0.7, 0.75, 1.0]
"""Positive ones; the solution [0.75, 1, 1, 1, 1] along their eigenvectors has the errors below."""


def relative_error(solve, **options) -> float:
    """Of the solution of a 5-dimensional positive definite system."""
    basis = symmetric_basis(5)
    matrix = symmetric(EIGENVALUES)
    truth = basis @ torch.tensor([0.75, 1.0, 1.0, 1.0, 1.0], dtype=torch.float64)
    found = solve(lambda v: [matrix @ v[0]], [matrix @ truth], Options(**options)).vector[0]
    return float(torch.linalg.vector_norm(found - truth) / torch.linalg.vector_norm(truth))


def test_conjugate_gradients_are_exact_after_as_many_steps_as_dimensions() -> None:
    assert relative_error(conjugate_gradients, iterations=4) > 1e-4
    assert relative_error(conjugate_gradients, iterations=5) < 1e-12


@pytest.mark.parametrize(("terms", "error"), [(1, 0.68), (10, 0.155), (100, 8.5e-5)])
def test_the_neumann_series_converges_slowly(terms: int, error: float) -> None:
    """At α = 0.5 / λ_max."""
    found = relative_error(neumann, iterations=terms, step_size=0.5)
    assert found == pytest.approx(error, rel=0.02)


def test_neumann_terms_follow_the_geometric_series() -> None:
    """With k terms the error along an eigenvector is (1 − αλ)^k of the solution."""
    matrix = symmetric([0.2, 0.5, 1.0])
    right = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    exact = torch.linalg.solve(matrix, right)
    for terms in (1, 10, 100):
        options = Options(solver="neumann", iterations=terms, step_size=0.5)
        found = neumann(lambda v: [matrix @ v[0]], [right], options).vector[0]
        shrunk = torch.eye(3, dtype=torch.float64) - 0.5 * matrix
        expected = exact - torch.linalg.matrix_power(shrunk, terms) @ exact
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_negative_curvature_is_said() -> None:
    matrix = symmetric([-1.0, 0.5, 2.0])
    right = torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64)
    solution = conjugate_gradients(lambda v: [matrix @ v[0]], [right], Options(iterations=10))
    assert "negative curvature" in solution.notes[0]


def test_identity_returns_the_right_side() -> None:
    right = [torch.ones(3)]
    assert identity(lambda v: v, right, Options()).vector is right


def test_damping_is_added_to_the_hessian() -> None:
    problem = quadratic(DECAY, **CONVERGED)
    spec = {"kind": "implicit", "solver": "cg", "iterations": 7, "damping": 2.0}
    found = estimate(problem, spec, problem.initial_meta(0))
    stiffness = problem.task.curvature + 0.3
    expected = stationary_gradient(problem) * stiffness / (stiffness + 2.0)
    torch.testing.assert_close(found.gradient["weight_decay.w"], expected, rtol=1e-8, atol=1e-12)


def at_the_saddle(**options) -> tuple:
    problem = Saddle()
    meta = problem.initial_meta(0)
    stationary = torch.linalg.solve(problem.matrix, meta["force"])
    truth = torch.linalg.solve(problem.matrix, stationary - problem.target)
    return estimate(problem, {"kind": "implicit", **options}, meta), truth


@pytest.mark.parametrize("solver", ["exact", "normal_cg"])
def test_at_a_saddle_the_solvers_for_indefinite_hessians_are_right(solver: str) -> None:
    found, truth = at_the_saddle(solver=solver)
    torch.testing.assert_close(found.gradient["force"], truth, rtol=1e-9, atol=1e-12)
    assert found.health.negative_curvature is True
    assert found.health.residual < 1e-9
    assert "not a minimum" in found.health.notes[0]


@pytest.mark.parametrize("solver", ["cg", "neumann"])
def test_at_a_saddle_the_others_are_wrong_and_say_so(solver: str) -> None:
    found, truth = at_the_saddle(solver=solver, iterations=10, step_size=0.4)
    error = torch.linalg.vector_norm(found.gradient["force"] - truth)
    assert error > torch.linalg.vector_norm(truth)
    assert found.health.negative_curvature is True
    assert "unreliable" in found.health.notes[0]


def test_the_identity_does_not_look_at_the_curvature() -> None:
    found, _ = at_the_saddle(solver="identity")
    assert found.health.negative_curvature is None


@pytest.mark.parametrize(
    ("solver", "products"), [("cg", 3), ("neumann", 2), ("normal_cg", 7), ("identity", 0)]
)
def test_products_are_counted(solver: str, products: int) -> None:
    """Those of three iterations, and the last one: the residual and the mixed term together."""
    problem = quadratic(DECAY, steps=3)
    spec = {"kind": "implicit", "solver": solver, "iterations": 3}
    cost = estimate(problem, spec, problem.initial_meta(0)).cost
    assert cost.hessian_vector_products == products + 1
    assert cost.gradient_evaluations == 3 + 1


def test_too_large_a_hessian_is_not_written_out() -> None:
    right = [torch.ones(Options.most_entries + 1)]
    with pytest.raises(ValueError, match="at most 2,000 are allowed"):
        exact(lambda v: v, right, Options(solver="exact"))
