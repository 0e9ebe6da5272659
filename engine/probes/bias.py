"""Bias and variance of an estimator at one θ, from repeated estimates and the oracle.

    bias = ‖E[ĝ] − g*‖,      variance = tr Cov ĝ

The draws share the inner loop's seed (its initial state and batches), so the variance is the
estimator's own: a deterministic estimator has none, and one estimate is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How far an estimator is from the oracle. All norms are Euclidean, over all entries of θ."""

    oracle_norm: float
    bias: float
    """‖E[ĝ] − g*‖; its square is corrected for the sampling variance of the mean."""
    bias_relative: float
    """bias / ‖g*‖."""
    cosine: float
    """Cosine of the angle between the mean estimate and g*."""
    variance: float
    """tr Cov ĝ, of one estimate."""
    variance_relative: float
    """variance / ‖g*‖²."""

    def values(self) -> dict[str, float]:
        return dict(vars(self))


def accuracy(draws: list[Tensor], exact: Tensor) -> Accuracy:
    """Compare `draws`, estimates as flat float64 vectors, with the oracle `exact`.

    The plug-in ‖mean − g*‖² overestimates the squared bias by variance / draws, which is taken
    off (and the result never below 0).
    """
    estimates = torch.stack(draws)
    mean = estimates.mean(0)
    count = len(draws)
    variance = float((estimates - mean).square().sum() / (count - 1)) if count > 1 else 0.0
    squared_bias = float((mean - exact).square().sum()) - variance / count
    bias = max(squared_bias, 0.0) ** 0.5 if squared_bias == squared_bias else float("nan")
    oracle_norm = float(exact.norm())
    return Accuracy(
        oracle_norm=oracle_norm,
        bias=bias,
        bias_relative=_ratio(bias, oracle_norm),
        cosine=_ratio(float(mean @ exact), float(mean.norm()) * oracle_norm),
        variance=variance,
        variance_relative=_ratio(variance, oracle_norm**2),
    )


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")
