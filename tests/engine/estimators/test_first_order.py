"""FOMAML and Reptile on the quadratic, where both have closed forms, in float64."""

import pytest
import torch

from engine import estimate
from tests.engine.problems import quadratic

INITIALISATION = {"kind": "initialisation"}


def learned(problem, t: int) -> torch.Tensor:
    """w_t = c + (I − αH)^t (w_0 − c) at α = 0.1."""
    task = problem.task
    start = task.initial_params(0)["w"]
    return task.optimum + (1.0 - 0.1 * task.curvature) ** t * (start - task.optimum)


def test_fomaml_is_biased_by_the_jacobian_that_it_leaves_out() -> None:
    """ĝ = w_T − c′, and g* = (I − αH)^T (w_T − c′)."""
    problem = quadratic(INITIALISATION)
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "fomaml"}, meta).gradient["initialisation.w"]
    error = learned(problem, 25) - problem.task.validation_optimum
    torch.testing.assert_close(found, error, rtol=1e-9, atol=1e-12)
    exact = problem.exact(meta, 0)[1]["initialisation.w"]
    shrunk = (1.0 - 0.1 * problem.task.curvature) ** 25
    torch.testing.assert_close(found - exact, (1.0 - shrunk) * error, rtol=1e-9, atol=1e-12)


def test_fomaml_averages_the_losses_of_the_objective() -> None:
    problem = quadratic(INITIALISATION, objective="average", steps=4)
    found = estimate(problem, {"kind": "fomaml"}, problem.initial_meta(0))
    errors = [learned(problem, t) - problem.task.validation_optimum for t in range(1, 5)]
    mean = torch.stack(errors).mean(0)
    torch.testing.assert_close(found.gradient["initialisation.w"], mean, rtol=1e-9, atol=1e-12)
    assert found.meta_loss == pytest.approx(problem.exact(problem.initial_meta(0), 0)[0], rel=1e-9)


@pytest.mark.parametrize("optimizer", [{"kind": "sgd"}, {"kind": "momentum", "momentum": 0.0}])
def test_reptile_is_the_way_that_the_learner_went(optimizer: dict) -> None:
    problem = quadratic(INITIALISATION, optimizer=optimizer)
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "reptile"}, meta)
    way = meta["initialisation.w"] - learned(problem, 25)
    torch.testing.assert_close(found.gradient["initialisation.w"], way, rtol=1e-9, atol=1e-12)
    assert found.meta_loss == pytest.approx(problem.exact(meta, 0)[0], rel=1e-9)


@pytest.mark.parametrize("kind", ["fomaml", "reptile"])
def test_other_meta_parameters_are_refused(kind: str) -> None:
    for problem in (quadratic(), quadratic(INITIALISATION, {"kind": "learning_rate"})):
        with pytest.raises(ValueError, match="'learning_rate' plays no part in them"):
            estimate(problem, {"kind": kind}, problem.initial_meta(0))
