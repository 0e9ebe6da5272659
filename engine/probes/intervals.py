"""95 % confidence intervals of an estimator's bias and variance, from repeated estimates.

Both hold for vectors of any length and covariance, draw no more estimates, and are checked by
their coverage on Gaussian draws. They need three draws, and the bias about eight, to be honest.
"""

from __future__ import annotations

import math

import torch
from scipy.special import ndtri, stdtrit
from torch import Tensor

Interval = tuple[float, float]
"""Lower and upper end; neither is negative."""

RESAMPLES = 1000
TAILS = (0.025, 0.975)


def variance_interval(draws: Tensor) -> Interval | None:
    """Of tr Cov ĝ; `draws` [n, dim θ]. Nothing where n < 3 or the draws do not differ.

    The jackknife of log tr Cov with Student's t (Miller, 1974, "The jackknife: a review"): on the
    logarithm the interval is nearly symmetric, and it cannot reach below zero.
    """
    count = len(draws)
    if count < 3:
        return None
    squares = (draws - draws.mean(0)).square().sum(1)
    total = squares.sum()
    variance = float(total) / (count - 1)
    # Leaving estimate i out takes n/(n − 1) ‖ĝ_i − mean‖² off the sum of squares.
    without = ((total - squares * count / (count - 1)) / (count - 2)).log()
    spread = float(((count - 1) / count * (without - without.mean()).square().sum()).sqrt())
    if not math.isfinite(spread):
        return None
    factor = math.exp(min(float(stdtrit(count - 1, TAILS[1])) * spread, 700.0))
    return variance / factor, variance * factor


def bias_interval(draws: Tensor, exact: Tensor, bias: float, *, seed: int) -> Interval | None:
    """Of ‖E ĝ − g*‖; `draws` [n, dim θ], and `bias` its estimate, corrected for sampling.

    Nothing where n < 3 or the draws do not differ. With e the error of the mean, and V/n its
    sampling variance,

        bias² = b² + 2 b uᵀe + (‖e‖² − V/n),      b = ‖E ĝ − g*‖,    u along E ĝ − g*.

    The bootstrap (Efron, 1979) gives the joint distribution of the two errors, and each resample
    the b that would have shown the `bias` that was seen; the interval holds the middle 95 % of
    these. Unlike percentiles of a resampled bias it is right at b = 0 too, where the squared bias
    is a degenerate U-statistic (Bickel and Freedman, 1981). Errors are stretched to the width of
    Student's interval (Hesterberg, 2015). `seed` fixes the resamples.
    """
    count = len(draws)
    if count < 3 or not math.isfinite(bias):
        return None
    mean = draws.mean(0)
    centred = draws - mean
    towards = mean - exact
    along = centred @ towards / towards.norm().clamp_min(torch.finfo(torch.float64).tiny)
    if centred.shape[1] > count:
        # Coordinates in the span of the draws: the same inner products in fewer numbers.
        centred = torch.linalg.qr(centred.T, mode="r").R.T
    squares = centred.square().sum(1)
    if not 0.0 < float(squares.sum()) < math.inf:
        return None

    shares = _resampled_shares(count, seed)
    error_squared = ((shares - 1.0 / count) @ centred).square().sum(1)
    sampling_variance = (shares @ squares - error_squared) / (count - 1)
    student = float(stdtrit(count - 1, TAILS[1]) / ndtri(TAILS[1]))
    stretch = student * math.sqrt(count / (count - 1))
    linear = stretch * (shares @ along)
    square = stretch**2 * (error_squared - sampling_variance)
    biases = (linear.square() + bias**2 - square).clamp_min(0.0).sqrt() - linear
    low, high = biases.clamp_min(0.0).quantile(torch.tensor(TAILS, dtype=biases.dtype)).tolist()
    return low, high


def _resampled_shares(count: int, seed: int) -> Tensor:
    """How often each draw is in a resample, over `count`; shape [RESAMPLES, count]."""
    source = torch.Generator().manual_seed(seed)
    picked = torch.randint(count, (RESAMPLES, count), generator=source)
    shares = torch.zeros(RESAMPLES, count, dtype=torch.float64)
    return shares.scatter_add_(1, picked, torch.full_like(shares, 1.0 / count))
