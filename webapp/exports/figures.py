"""The one figure specification: the page, the print files and the CSV are all drawn from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from webapp.exports.bands import Band, Series, band, kept_points, smooth
from webapp.exports.configurations import Configuration, RunLike, configurations
from webapp.exports.metrics import Metric, Unit
from webapp.exports.numbers import format_with_error
from webapp.exports.ticks import log_ticks

XAxis = Literal["step", "seconds", "inner_steps"]
Scale = Literal["auto", "log", "linear"]
SeriesOfRuns = Mapping[int, Mapping[str, Series]]

X_AXES: dict[XAxis, tuple[str, Unit]] = {
    "step": ("Outer step", ""),
    "seconds": ("Time", "s"),
    "inner_steps": ("Inner steps", ""),
}
MOST_POINTS = 2_000
MOST_MARKS = 200
MOST_TABLE_ROWS = 12


@dataclass(frozen=True)
class Axis:
    name: str
    title: str
    unit: Unit = ""
    log: bool = False

    @property
    def full_title(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title


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
    """Mean ∓ standard error, NaN where n < 2; `None` where no point has two seeds."""
    marks: tuple[Mark, ...]

    @property
    def label(self) -> str:
        return self.configuration.label

    def error_at(self, index: int) -> float | None:
        """The standard error of a point, `None` where a single seed is behind it."""
        if self.upper is None or not math.isfinite(self.upper[index]):
            return None
        return float(self.upper[index] - self.y[index])

    def value_at(self, index: int, unit: Unit) -> str:
        """A point as text: "0.412 ± 0.003"."""
        return format_with_error(float(self.y[index]), self.error_at(index), unit)

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


@dataclass(frozen=True)
class Figure:
    """A metric of some runs over a common x axis."""

    metric: Metric
    x_axis: Axis
    y_axis: Axis
    traces: tuple[Trace, ...]
    smoothing: float = 0.0

    @property
    def title(self) -> str:
        return self.metric.title

    @property
    def empty(self) -> bool:
        return not self.traces

    @property
    def has_bands(self) -> bool:
        return any(trace.lower is not None for trace in self.traces)

    @property
    def note(self) -> str:
        """How the curves came about, in words that belong under the figure."""
        parts = []
        if self.has_bands:
            parts.append("mean ± standard error over seeds")
        if self.smoothing:
            parts.append(f"smoothed with weight {self.smoothing:g}, raw curve faint")
        reasons = {mark.reason for trace in self.traces for mark in trace.marks}
        if reasons:
            parts.append(f"× {', '.join(sorted(reasons))}")
        return "; ".join(parts)

    @property
    def log_ticks(self) -> list[float]:
        """Where a logarithmic y axis is labelled: nowhere, if no point has a place on it."""
        heights = np.concatenate([trace.y for trace in self.traces] or [np.zeros(0)])
        heights = heights[np.isfinite(heights) & (heights > 0)]
        return log_ticks(float(heights.min()), float(heights.max())) if len(heights) else []

    @property
    def y_range(self) -> tuple[float, float] | None:
        """The ends of the y axis, where the points alone would give ends that mislead.

        A flat curve gets room instead of its rounding errors, and a metric with natural limits
        those. `None` leaves the ends to the points.
        """
        values = np.concatenate([trace.y for trace in self.traces] or [np.zeros(0)])
        values = values[np.isfinite(values) & ((values > 0) | (not self.y_axis.log))]
        if not len(values):
            return (0.1, 1.0) if self.y_axis.log else (0.0, 1.0)
        low, high = float(values.min()), float(values.max())
        if self.y_axis.log:
            # Halving the least float there is gives zero, doubling the largest infinity.
            inside = low / 2 > 0 and high * 2 < math.inf
            return (low / 2, high * 2) if high / 2 < low and inside else None
        if self.metric.limits is not None:
            bottom, top = self.metric.limits
            room = (top - bottom) / 40
            return (min(low, 0.0 if low >= 0 else bottom) - room, max(high, top) + room)
        if high - low > 1e-9 * max(abs(low), abs(high)):
            return None
        room = 0.5 * abs(high) or 1.0
        return (low - room, high + room) if abs(high) + room < math.inf else None

    @property
    def latest(self) -> str:
        """The last value of a figure with a single curve, "" where there are several or none."""
        if len(self.traces) != 1 or not len(self.traces[0].y):
            return ""
        return self.traces[0].value_at(-1, self.metric.unit)

    def text_summary(self) -> str:
        """What a reader who does not see the curves needs: where each of them stands."""
        if self.empty:
            return f"{self.title}: no points yet."
        ends = "; ".join(self._end_of(trace) for trace in self.traces)
        return f"{self.title} against {self.x_axis.full_title.lower()}. {ends}."

    def _end_of(self, trace: Trace) -> str:
        text = f"{trace.label}: {trace.value_at(-1, self.metric.unit)}"
        if trace.error_at(-1) is not None:
            text += f" (N = {int(trace.n[-1])})"
        return f"{text} at step {int(trace.steps[-1])}"

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Header and rows of the curves at a few steps: the figure's twin in text."""
        if self.empty:
            return ["Step"], []
        steps = np.unique(np.concatenate([trace.steps for trace in self.traces]))
        picked = steps[np.unique(np.linspace(0, len(steps) - 1, MOST_TABLE_ROWS).astype(int))]
        rows = [[str(int(step)), *(self._cell(t, step) for t in self.traces)] for step in picked]
        return ["Step", *(trace.label for trace in self.traces)], rows

    def _cell(self, trace: Trace, step: float) -> str:
        found = np.flatnonzero(trace.steps == step)
        return trace.value_at(int(found[0]), self.metric.unit) if len(found) else ""


def build_figure(
    runs: Iterable[RunLike],
    series: SeriesOfRuns,
    metric: Metric,
    *,
    x: XAxis = "step",
    scale: Scale = "auto",
    smoothing: float = 0.0,
) -> Figure:
    """The figure of `metric` for `runs`, whose points are in `series` (run id → name → arrays).

    `smoothing` is the weight of the past in [0, 1). Configurations without a point are left out.
    """
    title, unit = X_AXES[x]
    runs = list(runs)
    drawn = [series[run.pk][metric.name] for run in runs if metric.name in series.get(run.pk, {})]
    if scale == "auto":
        # A logarithmic axis has no place for a curve that is zero throughout, as variances are.
        log = metric.log and any(bool(np.any(values > 0)) for _, values in drawn)
    else:
        log = scale == "log"
    traces = [
        _trace(configuration, series, metric.name, x, log, smoothing)
        for configuration in configurations(runs)
        if any(metric.name in series.get(run.pk, {}) for run in configuration.runs)
    ]
    return Figure(
        metric=metric,
        x_axis=Axis(x, title, unit),
        y_axis=Axis(metric.name, metric.title, metric.unit, log),
        traces=tuple(trace for trace in traces if len(trace.x) or trace.marks),
        smoothing=smoothing,
    )


def _trace(
    configuration: Configuration,
    series: SeriesOfRuns,
    name: str,
    x: XAxis,
    log: bool,
    smoothing: float,
) -> Trace:
    having = [series[run.pk] for run in configuration.runs if name in series.get(run.pk, {})]
    curve = band([own[name] for own in having])
    positions = curve.steps.astype(np.float64) if x == "step" else _mean_at(having, x, curve)
    placed = np.isfinite(positions)
    marks = _marks(positions[placed], curve.mean[placed], log)
    pieces = np.split(curve.mean, np.flatnonzero(np.diff(curve.n)) + 1)
    drawn = np.concatenate([smooth(piece, smoothing) for piece in pieces])
    kept = np.flatnonzero(placed)
    kept = kept[kept_points(drawn[kept], MOST_POINTS)]
    has_band = bool(np.any(curve.n > 1))
    return Trace(
        configuration=configuration,
        steps=curve.steps[kept],
        x=positions[kept],
        y=drawn[kept],
        n=curve.n[kept],
        raw=curve.mean[kept] if smoothing else None,
        lower=(drawn - curve.standard_error)[kept] if has_band else None,
        upper=(drawn + curve.standard_error)[kept] if has_band else None,
        marks=marks,
    )


def _mean_at(having: list[Mapping[str, Series]], name: str, curve: Band) -> np.ndarray:
    """The mean over seeds of the series `name` at the curve's steps; NaN where it is unknown."""
    known = [own[name] for own in having if name in own]
    result = np.full(len(curve.steps), np.nan)
    if known:
        means = band(known)
        _, at_curve, at_means = np.intersect1d(curve.steps, means.steps, return_indices=True)
        result[at_curve] = means.mean[at_means]
    return result


def _marks(x: np.ndarray, y: np.ndarray, log: bool) -> tuple[Mark, ...]:
    with np.errstate(invalid="ignore"):
        nowhere = ~np.isfinite(y) | (log & (y <= 0))
    where = np.flatnonzero(nowhere)
    if len(where) > MOST_MARKS:
        where = where[np.linspace(0, len(where) - 1, MOST_MARKS).astype(int)]
    return tuple(Mark(float(x[i]), float(y[i]), _reason(float(y[i]))) for i in where)


def _reason(value: float) -> str:
    if not math.isfinite(value):
        return "not finite"
    return "exactly zero" if value == 0 else "not positive on a log axis"
