"""Counter-based random numbers: pure, and as random as their use needs."""

import torch

from engine.random_bits import bits, normal, uniform_indices


def test_the_same_seed_and_step_give_the_same_bits() -> None:
    seed = torch.tensor(5)
    assert torch.equal(bits(seed, 3, 8), bits(seed, 3, 8))
    assert torch.equal(bits(seed, 3, 8), bits(seed, torch.tensor(3), 8))
    assert torch.equal(bits(seed, 3, 4), bits(seed, 3, 8)[:4])


def test_other_seeds_steps_and_places_give_other_bits() -> None:
    words = torch.stack([bits(torch.tensor(s), t, 50) for s in range(20) for t in range(20)])
    assert len(words.unique()) == words.numel()


def test_indices_are_uniform() -> None:
    draws = torch.cat([uniform_indices(torch.tensor(1), t, 64, 10) for t in range(1000)])
    counts = torch.bincount(draws, minlength=10).to(torch.float64)
    chi_squared = float(((counts - 6400.0) ** 2 / 6400.0).sum())
    assert len(counts) == 10
    assert chi_squared < 27.9  # one in a thousand, 9 degrees of freedom


def test_normal_numbers_have_their_moments_and_no_memory() -> None:
    steps = torch.stack([normal(torch.tensor(2), t, 50, torch.float64) for t in range(1000)])
    seeds = torch.stack([normal(torch.tensor(s), 0, 50, torch.float64) for s in range(1000)])
    for draws in (steps, seeds):
        error = draws.numel() ** -0.5
        assert abs(float(draws.mean())) < 4 * error
        assert abs(float(draws.var()) - 1.0) < 4 * 2**0.5 * error
        assert abs(float((draws[1:] * draws[:-1]).mean())) < 4 * error
        assert abs(float((draws[:, 1:] * draws[:, :-1]).mean())) < 4 * error


def test_under_vmap_each_seed_has_its_own_bits() -> None:
    seeds = torch.arange(4)
    together = torch.func.vmap(lambda seed: bits(seed, 7, 5))(seeds)
    assert torch.equal(together, torch.stack([bits(seed, 7, 5) for seed in seeds]))
