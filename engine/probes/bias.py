"""Bias and variance of an estimator at one θ, from repeated estimates and the oracle.

    bias = ‖E[ĝ] − g*‖,      variance = tr Cov ĝ

The draws share the inner loop's seed (its initial state and batches), so the variance is the
estimator's own: a deterministic estimator has none, and one estimate is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.probes.intervals import Interval, bias_interval, variance_interval


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
    bias_interval: Interval | None = None
    """95 % confidence interval of the bias; nothing where fewer than three draws tell of it."""
    variance_interval: Interval | None = None
    """95 % confidence interval of the variance, likewise."""

    def values(self) -> dict[str, float]:
        """Series name to value; `<name>_low` and `<name>_high` are the ends of an interval."""
        names = ("oracle_norm", "bias", "bias_relative", "cosine", "variance", "variance_relative")
        found = {name: getattr(self, name) for name in names}
        for name, interval, scale in (
            ("bias", self.bias_interval, self.oracle_norm),
            ("variance", self.variance_interval, self.oracle_norm**2),
        ):
            for end, value in zip(("low", "high"), interval or (), strict=False):
                found[f"{name}_{end}"] = value
                found[f"{name}_relative_{end}"] = ratio(value, scale)
        return found


def accuracy(draws: list[Tensor], exact: Tensor, *, seed: int = 0) -> Accuracy:
    """Compare `draws`, estimates as flat float64 vectors, with the oracle `exact`.

    The plug-in ‖mean − g*‖² overestimates the squared bias by variance / draws, which is taken
    off (and the result never below 0). `seed` fixes the resamples behind the bias's interval.
    """
    estimates = torch.stack(draws)
    mean = estimates.mean(0)
    variance = variance_of(estimates)
    bias = corrected_norm(mean - exact, variance / len(draws))
    oracle_norm = float(exact.norm())
    return Accuracy(
        oracle_norm=oracle_norm,
        bias=bias,
        bias_relative=ratio(bias, oracle_norm),
        cosine=ratio(float(mean @ exact), float(mean.norm()) * oracle_norm),
        variance=variance,
        variance_relative=ratio(variance, oracle_norm**2),
        bias_interval=bias_interval(estimates, exact, bias, seed=seed),
        variance_interval=variance_interval(estimates),
    )


def variance_of(estimates: Tensor) -> float:
    """tr Cov of one row of `estimates` [n, dim θ]; 0 for a single one."""
    count = len(estimates)
    if count == 1:
        return 0.0
    return float((estimates - estimates.mean(0)).square().sum() / (count - 1))


def corrected_norm(difference: Tensor, sampling_variance: float) -> float:
    """The norm of what `difference` estimates: its squared norm without the sampling variance."""
    squared = float(difference.square().sum()) - sampling_variance
    return max(squared, 0.0) ** 0.5 if squared == squared else float("nan")


def ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")
