"""Random, grid, Bayesian and CMA-ES searches: what they propose, keep, and find."""

import math

import numpy as np
import pytest
import torch
from cmaes import CMA

from engine.population import meta_losses
from engine.searches import build_search
from engine.searches.box import Bayesian, Grid, Random
from engine.searches.cma_es import CMAES
from tests.engine.problems import quadratic
from tests.engine.searches.generations import generation_of

LOW, HIGH = -6.0, 1.0
BOX = {"low": LOW, "high": HIGH, "chunk": 8}
BUDGET = 160
CHOICES = {
    "cma_es": {"population": 8, "sigma": 2.0, "chunk": 8},
    "random": {**BOX, "population": 8},
    "grid": {**BOX, "population": 8, "points": BUDGET},
    "bayesian": {**BOX, "population": 8},
}
TWO = {
    "a": torch.zeros((), dtype=torch.float64),
    "b": torch.zeros(2, dtype=torch.float64),
}


@pytest.mark.parametrize("kind", CHOICES)
def test_finds_the_learning_rate_to_near_the_best_of_a_fine_grid(kind) -> None:
    problem = quadratic({"kind": "learning_rate", "initial": 0.01, "scale": "log"})
    search = build_search({"kind": kind, **CHOICES[kind]})
    carry = search.start(problem, problem.initial_meta(0), 0)
    for _ in range(BUDGET // 8):
        generation, carry = search.evaluate(problem, carry, [0])
        carry = search.observe(carry, generation)
    fine = torch.linspace(LOW, HIGH, 2000, dtype=torch.float64)
    losses = meta_losses(problem, {"learning_rate": fine}, 0, chunk=2000)
    found, _ = problem.exact(carry["mean"], 0)
    assert found < float(losses[losses.isfinite()].min()) * 1.5


@pytest.mark.parametrize("kind", ["random", "grid", "bayesian"])
def test_a_loss_that_is_not_finite_is_never_the_best(kind) -> None:
    meta = {"learning_rate": torch.tensor(0.5, dtype=torch.float64)}
    search = build_search({"kind": kind, **CHOICES[kind]})
    carry = search.start(None, meta, 0)
    proposals = search.propose(carry)
    losses = torch.full((8,), math.nan, dtype=torch.float64)
    losses[1], losses[2] = math.inf, -math.inf
    carry = search.observe(carry, generation_of(proposals, losses, at_incumbent=math.nan))
    assert torch.equal(carry["mean"]["learning_rate"], meta["learning_rate"])
    later = search.propose(carry)
    losses[5] = 3.0
    carry = search.observe(carry, generation_of(later, losses, at_incumbent=-math.inf))
    assert torch.equal(carry["mean"]["learning_rate"], later["learning_rate"][5])


@pytest.mark.parametrize("kind", ["random", "grid", "bayesian"])
def test_the_best_must_win_again_on_the_inner_loops_of_its_challengers(kind) -> None:
    """Under fresh inner seeds a lucky loss of an earlier generation counts no more."""
    noisy = quadratic({"kind": "learning_rate", "initial": 0.01, "scale": "log"}, noise=1.0)
    search = build_search({"kind": kind, **CHOICES[kind]})
    carry = search.start(noisy, noisy.initial_meta(0), 0)
    for seed in range(6):
        generation, after = search.evaluate(noisy, carry, [seed])
        assert generation.at_incumbent == pytest.approx(noisy.exact(carry["mean"], seed)[0])
        carry = search.observe(after, generation)
        lowest = min(generation.at_incumbent, float(generation.losses.min()))
        assert noisy.exact(carry["mean"], seed)[0] == pytest.approx(lowest)


def test_cma_es_ranks_a_loss_that_is_not_finite_last() -> None:
    search = CMAES(population=8, sigma=0.5, chunk=8)
    carry = search.start(None, TWO, 0)
    proposals = search.propose(carry)
    means = []
    for bad in (math.nan, -math.inf, 1e300):
        losses = torch.arange(8, dtype=torch.float64)
        losses[0] = bad
        means.append(search.observe(carry, generation_of(proposals, losses))["mean"]["b"])
    assert means[0].isfinite().all()
    assert torch.equal(means[0], means[2])
    assert torch.equal(means[1], means[2])


def test_random_proposals_are_independent_and_uniform_in_the_box() -> None:
    search = Random(low=-2.0, high=4.0, population=4000, chunk=1)
    carry = search.start(None, TWO, 3)
    proposals = search.propose(carry)
    assert proposals["b"].shape == (4000, 2)
    columns = torch.cat([proposals["a"][:, None], proposals["b"]], dim=1)
    assert columns.min() >= -2.0
    assert columns.max() <= 4.0
    standard_error = 6 / math.sqrt(12 * 4000)
    assert (columns.mean(0) - 1.0).abs().max() < 4 * standard_error
    assert (torch.corrcoef(columns.T) - torch.eye(3)).abs().max() < 4 / math.sqrt(4000)
    later = search.propose(search.observe(carry, generation_of(proposals, torch.ones(4000))))
    assert not torch.equal(later["a"], proposals["a"])


def test_a_grid_proposes_each_of_its_points_once() -> None:
    search = Grid(low=0.0, high=1.0, points=3, population=4, chunk=4)
    carry = search.start(None, TWO, 5)
    seen, sizes = [], []
    for _ in range(7):
        proposals = search.propose(carry)
        sizes.append(len(proposals["a"]))
        seen += [(float(a), *b.tolist()) for a, b in zip(*proposals.values(), strict=True)]
        carry = search.observe(carry, generation_of(proposals, torch.ones(sizes[-1])))
    assert sizes == [4] * 6 + [3]
    values = (0.0, 0.5, 1.0)
    assert sorted(seen) == [(a, b, c) for a in values for b in values for c in values]
    assert seen != sorted(seen)


def test_bayesian_proposals_crowd_around_what_was_good() -> None:
    search = Bayesian(low=-1.0, high=1.0, population=10, chunk=5)
    carry = search.start(None, TWO, 0)

    def distance(proposals):
        return (proposals["a"] - 0.6) ** 2 + ((proposals["b"] + 0.3) ** 2).sum(1)

    generations = []
    for _ in range(12):
        proposals = search.propose(carry)
        generations.append(distance(proposals))
        carry = search.observe(carry, generation_of(proposals, generations[-1]))
    assert torch.cat(generations[-3:]).mean() < torch.cat(generations[:1]).mean() / 3
    again = search.propose(carry)
    assert all(torch.equal(again[name], leaf) for name, leaf in search.propose(carry).items())


def test_cma_es_is_the_library_s_own_loop() -> None:
    def loss(points):
        return (points[:, 0] - 1) ** 2 + 10 * (points[:, 1] + points[:, 2]) ** 2

    library = CMA(np.zeros(3), 0.5, seed=11, population_size=6)
    search = CMAES(population=6, sigma=0.5, chunk=6)
    carry = search.start(None, TWO, 11)
    for _ in range(25):
        asked = np.stack([library.ask() for _ in range(6)])
        library.tell(list(zip(asked, loss(asked).tolist(), strict=True)))
        proposals = search.propose(carry)
        points = torch.cat([proposals["a"][:, None], proposals["b"]], dim=1)
        assert np.array_equal(points.numpy(), asked)
        carry = search.observe(carry, generation_of(proposals, loss(points)))
    assert np.array_equal(carry["mean"]["b"].numpy(), library.mean[1:])
    assert loss(torch.from_numpy(library.mean)[None]) < 1e-2
