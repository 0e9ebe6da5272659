"""Implicit differentiation and its solvers against closed forms, in float64."""

import pytest
import torch

from engine import estimate
from engine.estimators.linear_solvers import conjugate_gradients, identity, neumann
from engine.spec.estimators import Implicit as Options
from tests.engine.problems import quadratic

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


def symmetric(eigenvalues: list[float]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    size = len(eigenvalues)
    basis, _ = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
    return basis @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ basis.T


def test_conjugate_gradients_are_exact_after_as_many_steps_as_dimensions() -> None:
    matrix = symmetric([0.1, 0.7, 1.0, 3.0, 9.0])
    right = torch.arange(1.0, 6.0, dtype=torch.float64)
    solution = conjugate_gradients(lambda v: [matrix @ v[0]], [right], Options(iterations=5))
    torch.testing.assert_close(
        solution.vector[0], torch.linalg.solve(matrix, right), rtol=1e-9, atol=1e-9
    )


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
