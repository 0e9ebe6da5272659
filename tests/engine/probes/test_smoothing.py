"""The smoothed target: g* itself for a parabola, a quadrature's value for a polynomial."""

import math

import numpy as np
import pytest
import torch

from engine import trees
from engine.population import generator
from engine.probes.oracle import oracle
from engine.probes.smoothing import SmoothedTarget, smoothed_target
from engine.runner import run
from engine.spec import validate
from tests.engine.problems import quadratic

SIGMA = 0.08
DOUBLE = torch.float64


def exact_of(problem):
    return lambda meta: trees.flat(oracle(problem, meta, 0)[1])


def test_of_a_parabola_it_is_the_meta_gradient() -> None:
    problem = quadratic({"kind": "initialisation"}, noise=0.1)
    meta = problem.initial_meta(0)
    exact = exact_of(problem)
    target = smoothed_target(exact, meta, sigma=1.0, draws=8, source=generator(0, 1))
    assert float((target.mean - exact(meta)).norm()) < 1e-12 * float(exact(meta).norm())
    assert target.sampling_variance < 1e-24
    values = target.values([exact(meta)], exact(meta))
    assert values["smoothing_distance"] < 1e-12
    assert values["bias_smoothed_relative"] < 1e-12


def test_of_a_learning_rate_it_is_within_four_standard_errors_of_the_quadrature() -> None:
    """F is a polynomial in α, of which 30 nodes of Gauss and Hermite miss nothing."""
    problem = quadratic(optimizer={"kind": "sgd", "learning_rate": 0.3}, steps=6)
    meta = problem.initial_meta(0)
    exact = exact_of(problem)
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    at_nodes = [
        float(exact({"learning_rate": meta["learning_rate"] + SIGMA * x})) for x in nodes.tolist()
    ]
    quadrature = float(np.dot(weights, at_nodes)) / math.sqrt(2 * math.pi)
    target = smoothed_target(exact, meta, sigma=SIGMA, draws=600, source=generator(0, 1))
    standard_error = target.sampling_variance**0.5
    assert abs(float(target.mean) - quadrature) < 4 * standard_error
    bend = abs(quadrature - float(exact(meta)))
    assert bend > 8 * standard_error, "the two are far enough apart to be told from each other"
    distance = target.values([exact(meta)], exact(meta))["smoothing_distance"]
    assert distance == pytest.approx(bend / abs(float(exact(meta))), rel=0.2)


def test_the_targets_own_noise_is_taken_off() -> None:
    source = torch.Generator().manual_seed(0)
    exact = torch.tensor([3.0, 4.0], dtype=DOUBLE)
    squared = {"smoothing_distance": [], "bias_smoothed_relative": []}
    for _ in range(1000):
        pairs = exact + torch.randn(4, 2, generator=source, dtype=DOUBLE)
        draws = exact + torch.randn(4, 2, generator=source, dtype=DOUBLE)
        sampling = float((pairs - pairs.mean(0)).square().sum()) / 12
        target = SmoothedTarget(mean=pairs.mean(0), sampling_variance=sampling)
        values = target.values(list(draws), exact)
        squared["smoothing_distance"].append((values["smoothing_distance"] * 5) ** 2)
        squared["bias_smoothed_relative"].append(
            (values["bias_smoothed_relative"] * values["smoothed_norm"]) ** 2
        )
        assert values["smoothed_standard_error"] == pytest.approx(sampling**0.5)
    # Without the correction the means would be 1/2 and 1; what remains is cut at zero.
    assert sum(squared["smoothing_distance"]) / 1000 < 0.25
    assert sum(squared["bias_smoothed_relative"]) / 1000 < 0.5


def test_only_those_that_smooth_are_compared_with_it() -> None:
    spec = validate(
        {
            "inner_task": {"kind": "quadratic", "dimension": 3},
            "inner": {"steps": 6, "optimizer": {"kind": "sgd", "learning_rate": 0.3}},
            "estimators": [
                {"kind": "unrolled"},
                {"kind": "truncated", "window": 5},
                {"kind": "evolution", "particles": 64, "sigma": SIGMA},
            ],
            "outer": {"steps": 1},
            "precision": "float64",
            "probes": {"smoothed_draws": 400, "memory": False, "draws": 64},
        }
    )
    points = [event.values for event in run(spec) if hasattr(event, "values")]
    assert ["smoothed_norm" in values for values in points] == [False, False, True]
    evolution = points[-1]
    assert evolution["smoothing_distance"] > 0.1
    assert evolution["bias_smoothed_relative"] < 0.5 * evolution["bias_relative"]
