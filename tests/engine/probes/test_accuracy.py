"""Bias, variance and cosine, by hand."""

import math

import pytest
import torch

from engine.probes.bias import accuracy

EXACT = torch.tensor([3.0, 4.0], dtype=torch.float64)


def test_one_estimate_has_a_bias_and_no_variance() -> None:
    found = accuracy([torch.tensor([3.0, 0.0], dtype=torch.float64)], EXACT)
    assert found.bias == 4.0
    assert found.bias_relative == 0.8
    assert found.cosine == pytest.approx(0.6)
    assert found.variance == 0.0
    assert found.oracle_norm == 5.0


def test_squared_bias_is_corrected_for_the_sampling_variance() -> None:
    generator = torch.Generator().manual_seed(0)
    shift = torch.tensor([0.5, 0.0], dtype=torch.float64)
    squared = []
    for _ in range(2000):
        noise = torch.randn(4, 2, generator=generator, dtype=torch.float64)
        draws = list(EXACT + shift + noise)
        plugged = float((torch.stack(draws).mean(0) - EXACT).square().sum())
        found = accuracy(draws, EXACT)
        squared.append(plugged - found.variance / 4)
        assert found.bias == pytest.approx(max(squared[-1], 0.0) ** 0.5)
    mean = sum(squared) / len(squared)
    assert mean == pytest.approx(0.25, abs=0.05)  # without the correction it would be 0.75


def test_a_number_that_is_not_finite_stays_visible() -> None:
    found = accuracy([torch.tensor([math.nan, 1.0], dtype=torch.float64)], EXACT)
    assert math.isnan(found.bias)
    assert math.isnan(found.cosine)
