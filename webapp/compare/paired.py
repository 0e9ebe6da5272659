"""Two configurations over their common seeds: the paired t test, its effect size, and Holm's
correction of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

FEWEST_PAIRS = 3
"""Of two differences the spread is hardly known: a test would say little but the seeds' luck."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Paired:
    """What `n` differences d (other − baseline, one a seed) say of their mean."""

    n: int
    mean: float
    low: float
    high: float
    """The 95 % confidence interval of the mean difference."""
    effect: float
    """Cohen's d_z = mean / standard deviation: how many spreads the seeds lie apart."""
    effect_low: float
    effect_high: float
    p: float
    """Two-sided: how often differences of mean zero would lie this far from zero."""


def paired_t(differences: Sequence[float]) -> Paired:
    """The paired t test (Student, 1908) of `differences`, all finite.

    t = d̄ √n / s has n − 1 degrees of freedom, and the noncentrality δ √n where δ is the true
    effect size: its interval is that of the noncentralities for which t is not unusual (Steiger
    and Fouladi, 1997). Raises `ValueError` for fewer than `FEWEST_PAIRS` differences, or for
    equal ones, whose spread is zero.
    """
    d = np.asarray(differences, dtype=np.float64)
    n = len(d)
    if n < FEWEST_PAIRS:
        raise ValueError(f"a paired test needs {FEWEST_PAIRS} pairs; {n} given")
    mean, spread = float(d.mean()), float(d.std(ddof=1))
    if spread <= 1e-12 * float(np.abs(d).max()):
        raise ValueError("the differences are equal: their spread is zero")
    error = spread / np.sqrt(n)
    t, tail = mean / error, (1.0 - CONFIDENCE) / 2.0
    reach = -float(special.stdtrit(n - 1, tail)) * error
    noncentral = [float(special.nctdtrinc(n - 1, share, t)) for share in (1.0 - tail, tail)]
    return Paired(
        n=n,
        mean=mean,
        low=mean - reach,
        high=mean + reach,
        effect=mean / spread,
        effect_low=noncentral[0] / np.sqrt(n),
        effect_high=noncentral[1] / np.sqrt(n),
        p=float(2.0 * special.stdtr(n - 1, -abs(t))),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """`p_values` corrected for their number (Holm, 1979), in their order: of m, the k-th smallest
    (k from 0) counts m − k times, and none less than a smaller one."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    scaled = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected.tolist()
