"""Confidence intervals of bias and variance, by how often they hold what is known."""

import math

import pytest
import torch
from scipy.special import stdtrit

from engine.probes.bias import accuracy
from engine.probes.intervals import bias_interval, variance_interval

DOUBLE = torch.float64
REPETITIONS = 300


def gaussian(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Bias and standard deviations, in units of the standard error of a mean over 16 draws."""
    dimension = {"scalar": 1, "vector": 20, "uneven": 20, "unbiased": 5}[kind]
    spread = torch.ones(dimension, dtype=DOUBLE)
    if kind == "uneven":
        spread = torch.logspace(0, -2, dimension, dtype=DOUBLE)
    size = float(spread.norm()) / 4
    bias = torch.zeros(dimension, dtype=DOUBLE)
    if kind == "uneven":
        bias[0] = 2 * size  # along the direction that varies most
    elif kind != "unbiased":
        bias[:] = 2 * size / dimension**0.5
    return bias, spread


@pytest.mark.parametrize("kind", ["scalar", "vector", "uneven", "unbiased"])
def test_intervals_hold_the_truth_as_often_as_they_say(kind: str) -> None:
    bias, spread = gaussian(kind)
    exact = torch.full_like(bias, 3.0)
    source = torch.Generator().manual_seed(0)
    held = {"bias": 0, "variance": 0}
    for repetition in range(REPETITIONS):
        noise = torch.randn(16, len(bias), generator=source, dtype=DOUBLE)
        found = accuracy(list(exact + bias + spread * noise), exact, seed=repetition)
        low, high = found.bias_interval
        held["bias"] += low <= float(bias.norm()) <= high
        low, high = found.variance_interval
        held["variance"] += low <= float(spread.square().sum()) <= high
        assert low <= found.variance <= high
    for name, count in held.items():
        assert 0.90 <= count / REPETITIONS <= 0.99, (name, count)


def test_an_unbiased_estimator_may_have_no_bias_and_an_upper_end_all_the_same() -> None:
    source = torch.Generator().manual_seed(1)
    for _ in range(50):
        draws = torch.randn(16, 5, generator=source, dtype=DOUBLE)
        found = accuracy(list(draws), torch.zeros(5, dtype=DOUBLE))
        low, high = found.bias_interval
        assert low <= found.bias <= high
        assert high > 0.1


def test_the_interval_of_a_large_bias_is_students_along_it() -> None:
    source = torch.Generator().manual_seed(2)
    draws = 100.0 + torch.randn(200, 1, generator=source, dtype=DOUBLE)
    found = accuracy(list(draws), torch.zeros(1, dtype=DOUBLE))
    half = stdtrit(199, 0.975) * float(draws.std()) / 200**0.5
    low, high = found.bias_interval
    assert low == pytest.approx(found.bias - half, abs=0.15 * half)
    assert high == pytest.approx(found.bias + half, abs=0.15 * half)


def test_rotations_and_further_dimensions_change_nothing() -> None:
    source = torch.Generator().manual_seed(3)
    draws = torch.randn(9, 4, generator=source, dtype=DOUBLE) + 0.5
    wide = torch.cat([draws, torch.zeros(9, 60, dtype=DOUBLE)], dim=1)
    turn, _ = torch.linalg.qr(torch.randn(64, 64, generator=source, dtype=DOUBLE))
    found = accuracy(list(draws), torch.zeros(4, dtype=DOUBLE), seed=5)
    again = accuracy(list(wide @ turn), torch.zeros(64, dtype=DOUBLE), seed=5)
    assert again.bias_interval == pytest.approx(found.bias_interval, rel=1e-9)
    assert again.variance_interval == pytest.approx(found.variance_interval, rel=1e-9)


def test_a_seed_fixes_the_resamples() -> None:
    draws = list(torch.randn(8, 3, generator=torch.Generator().manual_seed(4), dtype=DOUBLE))
    exact = torch.ones(3, dtype=DOUBLE)
    assert accuracy(draws, exact, seed=1) == accuracy(draws, exact, seed=1)
    assert accuracy(draws, exact, seed=1) != accuracy(draws, exact, seed=2)


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_draws_have_no_interval(count: int) -> None:
    draws = list(torch.arange(2.0 * count, dtype=DOUBLE).reshape(count, 2))
    values = accuracy(draws, torch.ones(2, dtype=DOUBLE)).values()
    assert not [name for name in values if name.endswith(("_low", "_high"))]


@pytest.mark.parametrize("filler", [1.0, math.nan, math.inf, 1e200])
def test_draws_that_are_alike_or_not_finite_have_none(filler: float) -> None:
    draws = torch.full((5, 2), filler, dtype=DOUBLE)
    if filler == 1e200:
        draws[0] = -filler  # finite, but their squares are not
    assert variance_interval(draws) is None
    assert bias_interval(draws, torch.ones(2, dtype=DOUBLE), 1.0, seed=0) is None


def test_relative_ends_are_over_the_oracles_norm() -> None:
    draws = list(torch.randn(6, 2, generator=torch.Generator().manual_seed(6), dtype=DOUBLE))
    values = accuracy(draws, torch.tensor([3.0, 4.0], dtype=DOUBLE)).values()
    for end in ("low", "high"):
        assert values[f"bias_relative_{end}"] == values[f"bias_{end}"] / 5
        assert values[f"variance_relative_{end}"] == values[f"variance_{end}"] / 25
