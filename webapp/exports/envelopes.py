"""Many runs as few curves: the median of a group, and the band that most of its runs lie in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from webapp.exports.bands import Band, Series
from webapp.exports.configurations import Configuration, RunLike, configurations
from webapp.exports.palette import COLOURS, DASHES

MOST_IN_FULL = 50
"""Runs up to which every configuration has its mean and standard error; more are envelopes."""
MOST_ENVELOPES = 24
"""Configurations up to which each has its own envelope; more are told apart by estimator alone."""
LOW, HIGH = 0.1, 0.9
"""The quantiles between which the band lies."""


def drawn_groups(runs: Sequence[RunLike]) -> list[Configuration]:
    """What has a curve: configurations, or, of very many runs in very many of them, estimators."""
    groups = configurations(runs)
    if len(runs) <= MOST_IN_FULL or len(groups) <= MOST_ENVELOPES:
        return groups
    by_estimator: dict[str, list[RunLike]] = {}
    for run in runs:
        by_estimator.setdefault(run.estimator, []).append(run)
    return [
        Configuration(
            key=str(members[0].pk),
            label=label,
            full_label=label,
            slot=number % len(COLOURS),
            dash=DASHES[number // len(COLOURS) % len(DASHES)],
            runs=tuple(members),
        )
        for number, (estimator, members) in enumerate(by_estimator.items())
        for label in (f"{estimator.replace('_', ' ')}, {len(members)} runs",)
    ]


def envelope(runs: list[Series]) -> tuple[Band, np.ndarray, np.ndarray]:
    """The median of `runs` (at least one) at the union of their steps, as the `mean` of a `Band`,
    and the quantiles `LOW` and `HIGH`.

    Where runs have come differently far, a step counts those that have reached it. A value that is
    not finite is no quantile: the other runs' are shown, and `n` says how many there are.
    """
    steps = np.unique(np.concatenate([steps for steps, _ in runs]))
    table = np.full((len(runs), len(steps)), np.nan)
    for row, (own_steps, values) in enumerate(runs):
        table[row, np.searchsorted(steps, own_steps)] = values
    table[~np.isfinite(table)] = np.nan
    n = np.isfinite(table).sum(axis=0)
    low, median, high = _quantiles(table, n)
    nothing = np.full(len(steps), np.nan)
    return Band(steps=steps, mean=median, standard_error=nothing, n=n), low, high


def _quantiles(table: np.ndarray, n: np.ndarray) -> np.ndarray:
    """`LOW`, one half and `HIGH` of each column's finite entries, between neighbours linearly.

    Sorted once, gaps last: NumPy's own over gaps goes column by column, forty times slower.
    """
    ordered = np.sort(table, axis=0)
    places = np.array([[LOW], [0.5], [HIGH]]) * np.maximum(n - 1, 0)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, np.maximum(n - 1, 0))
    columns = np.arange(table.shape[1])
    start, end = ordered[below, columns], ordered[above, columns]
    return start + (places - below) * (end - start)
