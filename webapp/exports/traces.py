"""One configuration's curve in a figure: its points, what surrounds them, and what has no place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from webapp.exports.bands import Band, Series, band, kept_points, smooth
from webapp.exports.configurations import Configuration
from webapp.exports.envelopes import envelope
from webapp.exports.metrics import Unit, interval_of
from webapp.exports.numbers import format_value, format_with_error

Surrounds = Literal["standard_error", "confidence", "quantiles"]
MOST_POINTS = 2_000
MOST_MARKS = 200


@dataclass(frozen=True)
class Mark:
    """A point that has no place on the axis, and is shown at its edge instead."""

    x: float
    value: float
    reason: str


@dataclass(frozen=True)
class Trace:
    """One configuration's curve. The arrays have one entry a drawn point."""

    configuration: Configuration
    steps: np.ndarray
    x: np.ndarray
    y: np.ndarray
    """What is drawn: the mean over seeds, smoothed where the reader asked for it."""
    n: np.ndarray
    """Seeds behind each point."""
    raw: np.ndarray | None
    """The curve before smoothing, drawn faint behind; `None` where nothing was smoothed."""
    lower: np.ndarray | None
    upper: np.ndarray | None
    """The ends of what surrounds a point, NaN where there is nothing; `None` if nowhere is."""
    surrounds: Surrounds | None
    """Mean ∓ standard error where two seeds are behind a point; for a single run the 95 %
    confidence interval that it measured itself; for an envelope its quantiles."""
    marks: tuple[Mark, ...]

    @property
    def label(self) -> str:
        return self.configuration.label

    def error_at(self, index: int) -> float | None:
        """The standard error of a point, `None` where a single seed is behind it."""
        if self.surrounds != "standard_error" or not self.is_surrounded(index):
            return None
        return float(self.upper[index] - self.y[index])

    def value_at(self, index: int, unit: Unit, *, interval: bool = True) -> str:
        """A point as text: "0.412 ± 0.003", or "0.412 (0.4 to 0.43)" with its interval."""
        text = format_with_error(float(self.y[index]), self.error_at(index), unit)
        if interval and self.surrounds in ("confidence", "quantiles") and self.is_surrounded(index):
            low, high = (format_value(float(end[index]), unit) for end in (self.lower, self.upper))
            return f"{text} ({low} to {high})"
        return text

    @property
    def heights(self) -> np.ndarray:
        """Every height that the curve and its band reach."""
        return np.concatenate([end for end in (self.y, self.lower, self.upper) if end is not None])

    def is_surrounded(self, index: int) -> bool:
        """Whether a point has a band about it."""
        return self.upper is not None and bool(np.isfinite(self.upper[index]))

    @property
    def breaks(self) -> np.ndarray:
        """Indices at which other seeds are behind the mean than at the point before.

        The curve is not joined there: a mean over fewer seeds is no continuation of the other.
        """
        return np.flatnonzero(np.diff(self.n)) + 1

    @property
    def seeds_stated(self) -> str:
        """ "N = 3", "N = 1–3" where the seeds have come differently far, "" for a single run."""
        if len(self.configuration.runs) == 1 or not len(self.n):
            return ""
        low, high = int(self.n.min()), int(self.n.max())
        return f"N = {high}" if low == high else f"N = {low}–{high}"


def build_trace(
    configuration: Configuration,
    series: Mapping[int, Mapping[str, Series]],
    name: str,
    x: str,
    log: bool,
    smoothing: float,
    surrounded: bool = True,
    quantiles: bool = False,
) -> Trace:
    """The curve of the series `name` over the series `x`, or over the outer step: the mean over
    seeds, or, with `quantiles`, the median of many runs.

    Peak memory is the only `x` that may fall: a point then stands at the most until its step.
    """
    having = [series[run.pk] for run in configuration.runs if name in series.get(run.pk, {})]
    low = high = None
    if quantiles:
        curve, low, high = envelope([own[name] for own in having])
    else:
        curve = band([own[name] for own in having])
    positions = _positions(having, x, curve)
    placed = np.isfinite(positions)
    pieces = np.split(curve.mean, np.flatnonzero(np.diff(curve.n)) + 1)
    drawn = np.concatenate([smooth(piece, smoothing) for piece in pieces])
    kept = np.flatnonzero(placed)
    kept = kept[kept_points(drawn[kept], MOST_POINTS)]
    if low is not None and high is not None:
        lower, upper, surrounds = smooth(low, smoothing), smooth(high, smoothing), "quantiles"
    else:
        lower, upper, surrounds = _surroundings(having, name, curve, drawn, smoothing)
    noise = upper if upper is not None and surrounds == "confidence" else np.zeros(len(drawn))
    marks = _marks(positions[placed], curve.mean[placed], noise[placed] > 0, log)
    if not surrounded:
        lower, upper, surrounds = None, None, None
    return Trace(
        configuration=configuration,
        steps=curve.steps[kept],
        x=positions[kept],
        y=drawn[kept],
        n=curve.n[kept],
        raw=curve.mean[kept] if smoothing else None,
        lower=None if lower is None else lower[kept],
        upper=None if upper is None else upper[kept],
        surrounds=surrounds,
        marks=marks,
    )


def _surroundings(
    having: list[Mapping[str, Series]], name: str, curve: Band, drawn: np.ndarray, smoothing: float
) -> tuple[np.ndarray | None, np.ndarray | None, Surrounds | None]:
    """The ends of the band at the curve's steps, and what it says."""
    if np.any(curve.n > 1):
        return drawn - curve.standard_error, drawn + curve.standard_error, "standard_error"
    low, high = (_mean_at(having, end, curve) for end in interval_of(name))
    if not np.isfinite(high).any():
        return None, None, None
    return smooth(low, smoothing), smooth(high, smoothing), "confidence"


def _positions(having: list[Mapping[str, Series]], x: str, curve: Band) -> np.ndarray:
    """Where the curve's points stand; NaN where that is unknown."""
    if x == "step":
        return curve.steps.astype(np.float64)
    if x != "peak_bytes":
        return _mean_at(having, x, curve)
    known = [own[x] for own in having if x in own]
    return _mean_at([{x: (at, np.fmax.accumulate(peaks))} for at, peaks in known], x, curve)


def _mean_at(having: list[Mapping[str, Series]], name: str, curve: Band) -> np.ndarray:
    """The mean over seeds of the series `name` at the curve's steps; NaN where it is unknown."""
    known = [own[name] for own in having if name in own]
    result = np.full(len(curve.steps), np.nan)
    if known:
        means = band(known)
        _, at_curve, at_means = np.intersect1d(curve.steps, means.steps, return_indices=True)
        result[at_curve] = means.mean[at_means]
    return result


def _marks(x: np.ndarray, y: np.ndarray, noisy: np.ndarray, log: bool) -> tuple[Mark, ...]:
    """`noisy` says where a confidence interval reaches above zero."""
    with np.errstate(invalid="ignore"):
        nowhere = ~np.isfinite(y) | (log & (y <= 0))
    where = np.flatnonzero(nowhere)
    if len(where) > MOST_MARKS:
        where = where[np.linspace(0, len(where) - 1, MOST_MARKS).astype(int)]
    return tuple(
        Mark(float(x[i]), float(y[i]), _reason(float(y[i]), bool(noisy[i]))) for i in where
    )


def _reason(value: float, noisy: bool) -> str:
    if not math.isfinite(value):
        return "not finite"
    if value == 0:
        return "zero within noise" if noisy else "exactly zero"
    return "not positive on a log axis"
