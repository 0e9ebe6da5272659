"""Evolution strategies: unbiased for what they claim, with the variance that theory gives."""

import math

import pytest
import torch

from engine import estimate
from engine.estimators import Evolution
from engine.population import generator, meta_losses
from tests.engine.problems import quadratic


def test_unbiased_on_a_quadratic_meta_loss() -> None:
    """F is quadratic in the initialisation, so the smoothed gradient is g* itself."""
    problem = quadratic({"kind": "initialisation"}, steps=5)
    meta = problem.initial_meta(0)
    _, exact = problem.exact(meta, 0)
    estimator = Evolution(particles=8, sigma=0.3)
    carry = estimator.start(problem, meta, 0)
    draws = []
    for _ in range(400):
        found, carry = estimator.estimate(problem, meta, carry)
        draws.append(found.gradient["initialisation.w"])
    draws = torch.stack(draws)
    standard_error = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) - exact["initialisation.w"]).abs() < 4 * standard_error).all()


def test_variance_of_antithetic_pairs_in_closed_form() -> None:
    """For a pair on a quadratic, ĝ = ε (εᵀ g), so tr Cov ĝ = (dim + 1) ‖g‖² / pairs."""
    problem = quadratic({"kind": "initialisation"}, steps=5)
    meta = problem.initial_meta(0)
    _, exact = problem.exact(meta, 0)
    estimator, pairs = Evolution(particles=8, sigma=0.3), 4
    carry, draws = estimator.start(problem, meta, 0), []
    for _ in range(1500):
        found, carry = estimator.estimate(problem, meta, carry)
        draws.append(found.gradient["initialisation.w"])
    variance = float(torch.stack(draws).var(0).sum())
    g = exact["initialisation.w"]
    assert variance == pytest.approx((len(g) + 1) * float(g @ g) / pairs, rel=0.15)


def test_particles_together_equal_particles_one_by_one() -> None:
    problem = quadratic({"kind": "learning_rate"}, noise=0.2)
    metas = {"learning_rate": torch.linspace(0.01, 0.3, 7, dtype=torch.float64)}
    together = meta_losses(problem, metas, 0, chunk=7)
    alone = meta_losses(problem, metas, 0, chunk=1)
    exact = [problem.exact({"learning_rate": rate}, 0)[0] for rate in metas["learning_rate"]]
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=0)
    torch.testing.assert_close(together, torch.tensor(exact, dtype=torch.float64))


def test_the_same_seed_and_draw_give_the_same_estimate() -> None:
    problem = quadratic()
    meta = problem.initial_meta(0)
    first = estimate(problem, {"kind": "evolution"}, meta, seed=4)
    again = estimate(problem, {"kind": "evolution"}, meta, seed=4)
    other = estimate(problem, {"kind": "evolution"}, meta, seed=5)
    assert torch.equal(first.gradient["learning_rate"], again.gradient["learning_rate"])
    assert not torch.equal(first.gradient["learning_rate"], other.gradient["learning_rate"])


def test_draws_of_one_seed_differ() -> None:
    first = torch.randn(3, generator=generator(1, 0))
    second = torch.randn(3, generator=generator(1, 1))
    assert not torch.equal(first, second)


class OneOutlier:
    """ℓ = θ, but for a cliff that only far perturbations reach."""

    horizon, objective = 1, "final"

    def __init__(self, cliff: float) -> None:
        self.cliff = cliff

    def initial_meta(self, seed: int) -> dict:
        return {"theta": torch.zeros((), dtype=torch.float64)}

    def initial_state(self, meta: dict, seed: int) -> dict:
        return {"params": {"w": meta["theta"]}}

    def step(self, state: dict, meta: dict, t: int) -> dict:
        return state

    def meta_loss(self, state: dict, meta: dict, t: int) -> torch.Tensor:
        w = state["params"]["w"]
        return w + self.cliff * (w > 2.0)


def test_an_estimate_that_rests_on_one_pair_says_so() -> None:
    """On ℓ = θ a pair's difference is 2σ|ε|, and (Σ|ε|)²/Σε² tends to 2/π of the pairs."""
    spec = {"kind": "evolution", "particles": 200, "sigma": 1.0}
    plain, cliff = OneOutlier(0.0), OneOutlier(1e6)
    found = estimate(plain, spec, plain.initial_meta(0))
    assert found.health.effective_sample_size == pytest.approx(100 * 2 / math.pi, rel=0.15)
    assert not found.health.notes
    counts = set()
    for seed in range(20):
        found = estimate(cliff, {**spec, "particles": 20}, cliff.initial_meta(0), seed=seed)
        drawn = torch.randn(10, generator=generator(seed, 0), dtype=torch.float64)
        counts.add(beyond := int((drawn.abs() > 2.0).sum()))
        if beyond:
            assert found.health.effective_sample_size == pytest.approx(beyond, rel=1e-2)
        assert bool(found.health.notes) == (beyond == 1)
    assert {0, 1, 2} <= counts


def test_where_no_loss_differs_there_is_no_sample_size() -> None:
    flat = OneOutlier(0.0)
    flat.meta_loss = lambda state, meta, t: torch.ones((), dtype=torch.float64)
    found = estimate(flat, {"kind": "evolution"}, flat.initial_meta(0))
    assert found.health.effective_sample_size is None
    assert found.health.finite


def test_the_sample_size_knows_losses_whose_squares_are_too_large_for_float32() -> None:
    steep = OneOutlier(0.0)
    steep.initial_meta = lambda seed: {"a": torch.tensor(1.0)}
    steep.initial_state = lambda meta, seed: {"params": {"w": 1e24 * meta["a"]}}
    spec = {"kind": "evolution", "particles": 200, "sigma": 1.0}
    found = estimate(steep, spec, steep.initial_meta(0))
    assert found.health.effective_sample_size == pytest.approx(100 * 2 / math.pi, rel=0.15)
    assert not found.health.notes
