"""Runs that differ by seed as one curve: mean, standard error and how many seeds are behind it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Series = tuple[np.ndarray, np.ndarray]
"""Steps (int64, increasing) and values (float64), of equal length."""


@dataclass(frozen=True)
class Band:
    """A curve over the union of the seeds' steps. All arrays have one entry a step.

    Where seeds have come differently far, a step's mean is over those that have reached it,
    and `n` says how many. A non-finite value of one seed makes the mean non-finite: a seed
    that diverged is not averaged away.
    """

    steps: np.ndarray
    mean: np.ndarray
    standard_error: np.ndarray
    """Sample standard deviation over √n; NaN where n < 2."""
    n: np.ndarray


def band(seeds: list[Series]) -> Band:
    """The mean ± standard error of one series over `seeds` (at least one), aligned by step."""
    steps = _union([steps for steps, _ in seeds])
    table = np.zeros((len(seeds), len(steps)))
    present = np.zeros((len(seeds), len(steps)), dtype=bool)
    for row, (own_steps, values) in enumerate(seeds):
        columns = np.searchsorted(steps, own_steps)
        table[row, columns] = values
        present[row, columns] = True
    n = present.sum(axis=0)
    with np.errstate(all="ignore"):
        mean = np.where(present, table, 0.0).sum(axis=0) / n
        squares = np.where(present, (table - mean) ** 2, 0.0).sum(axis=0)
        error = np.where(n > 1, np.sqrt(squares / (n - 1)) / np.sqrt(n), np.nan)
    return Band(steps=steps, mean=mean, standard_error=error, n=n)


def _union(steps: list[np.ndarray]) -> np.ndarray:
    """All of the seeds' steps, in order; seeds that have come equally far have the same ones."""
    if all(np.array_equal(own, steps[0]) for own in steps[1:]):
        return steps[0]
    return np.unique(np.concatenate(steps))


def mean_and_error(values: list[float]) -> tuple[float, float | None]:
    """The mean of `values` (at least one) and its standard error, `None` for a single value."""
    array = np.asarray(values, dtype=np.float64)
    with np.errstate(all="ignore"):
        mean = float(array.mean())
        if len(array) < 2:
            return mean, None
        return mean, float(array.std(ddof=1) / np.sqrt(len(array)))


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """Exponential moving average with bias correction; `weight` in [0, 1) is the past's share.

    Non-finite values stay where they are and do not spread to their neighbours.
    """
    result = np.array(values, dtype=np.float64)
    if weight == 0:
        return result
    total, mass = 0.0, 0.0
    for index in np.flatnonzero(np.isfinite(values)):
        total = weight * total + (1 - weight) * values[index]
        mass = weight * mass + (1 - weight)
        result[index] = total / mass
    return result


def kept_points(values: np.ndarray, most: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Indices of at most `most` points (≥ 4) that keep the curve's look.

    The first, the last, and the lowest and highest of every stretch between; a non-finite
    point counts as neither, and is kept by its own mark in the figure.
    """
    count = len(values)
    if count <= most:
        return np.arange(count)
    edges = np.linspace(1, count - 1, (most - 2) // 2 + 1).astype(int)
    low = np.where(np.isfinite(values), values, np.inf)
    high = np.where(np.isfinite(values), values, -np.inf)
    kept = {0, count - 1}
    for start, end in pairwise(edges):
        kept.add(start + int(np.argmin(low[start:end])))
        kept.add(start + int(np.argmax(high[start:end])))
    return np.array(sorted(kept))
