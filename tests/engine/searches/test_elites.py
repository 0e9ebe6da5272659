"""The elites search: its refit by hand, and that it finds a learning rate."""

import math

import torch

from engine.population import meta_losses
from engine.searches.elites import Elites
from tests.engine.problems import quadratic
from tests.engine.searches.generations import generation_of


def test_refit_is_the_mean_and_deviation_of_the_best() -> None:
    problem = quadratic()
    search = Elites(population=4, elites=2, sigma=0.1)
    carry = search.start(problem, problem.initial_meta(0), 0)
    proposals = {"learning_rate": torch.tensor([0.1, 0.2, 0.4, 0.8], dtype=torch.float64)}
    losses = torch.tensor([3.0, 1.0, 2.0, math.nan], dtype=torch.float64)
    carry = search.observe(carry, generation_of(proposals, losses))
    assert float(carry["mean"]["learning_rate"]) == 0.30000000000000004
    assert math.isclose(float(carry["deviation"]["learning_rate"]), 0.1)


def test_finds_a_better_learning_rate() -> None:
    problem = quadratic({"kind": "learning_rate", "initial": 0.01, "scale": "log"})
    meta = problem.initial_meta(0)
    search = Elites(population=32, elites=8, sigma=3.0)
    carry = search.start(problem, meta, 0)
    before, _ = problem.exact(meta, 0)
    for _ in range(12):
        generation, carry = search.evaluate(problem, carry, [0])
        carry = search.observe(carry, generation)
    after, _ = problem.exact(carry["mean"], 0)
    grid = torch.linspace(-6.0, 1.0, 400, dtype=torch.float64)
    best = float(meta_losses(problem, {"learning_rate": grid}, 0, chunk=400).min())
    assert after < before / 5
    assert after < best * 1.5
