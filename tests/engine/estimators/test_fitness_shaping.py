"""What stands in for the losses of particles, by hand, and what the estimate is then."""

import math

import pytest
import torch

from engine import estimate, trees
from engine.estimators.fitness_shaping import SHAPINGS
from tests.engine.problems import quadratic


def shaped(name: str, *losses: float) -> list[float]:
    return SHAPINGS[name](torch.tensor(losses, dtype=torch.float64)).tolist()


def test_centred_ranks_go_from_minus_a_half_to_a_half() -> None:
    assert shaped("centred_ranks", 3.0, 1e9, 1.0, 2.0, -7.0) == [0.25, 0.5, -0.25, 0.0, -0.5]


def test_equal_losses_share_their_ranks() -> None:
    assert shaped("centred_ranks", 1.0, 1.0, 0.0) == [0.25, 0.25, -0.5]
    assert shaped("centred_ranks", 2.0, 2.0) == [0.0, 0.0]


def test_standardised_losses_have_mean_0_and_deviation_1() -> None:
    assert shaped("standardised", 1.0, 3.0) == [-1.0, 1.0]
    assert shaped("standardised", 5.0, 5.0) == [0.0, 0.0]


@pytest.mark.parametrize("name", SHAPINGS)
def test_a_loss_that_is_not_finite_is_not_hidden(name: str) -> None:
    for bad in (math.nan, math.inf, -math.inf):
        assert not all(map(math.isfinite, shaped(name, 1.0, bad, 2.0)))


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(one @ other / (one.norm() * other.norm()))


@pytest.mark.parametrize("mode", [{}, {"mode": "pes", "window": 5}])
def test_a_shaped_estimate_points_the_way_of_the_gradient(mode: dict) -> None:
    problem = quadratic({"kind": "initialisation"}, steps=12, objective="average")
    meta = problem.initial_meta(0)
    exact = trees.flat(problem.exact(meta, 0)[1])
    gradient, ranks, standardised = (
        trees.flat(
            estimate(
                problem,
                {"kind": "evolution", "particles": 400, "fitness_shaping": shaping, **mode},
                meta,
            ).gradient
        )
        for shaping in SHAPINGS
    )
    assert cosine(standardised, gradient) == pytest.approx(1.0)
    assert cosine(ranks, exact) > 0.8


def test_ranks_do_not_feel_a_rescaled_meta_loss_and_the_gradient_does() -> None:
    problem, scaled = (quadratic({"kind": "learning_rate"}, steps=12) for _ in range(2))
    scaled.meta_loss = lambda state, meta, t: 1000.0 * problem.meta_loss(state, meta, t)
    meta = problem.initial_meta(0)
    for shaping, factor in (("none", 1000.0), ("centred_ranks", 1.0), ("standardised", 1.0)):
        spec = {"kind": "evolution", "fitness_shaping": shaping}
        one, other = (
            float(estimate(each, spec, meta).gradient["learning_rate"])
            for each in (problem, scaled)
        )
        assert other == pytest.approx(factor * one, rel=1e-9)
