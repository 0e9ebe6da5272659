"""The one figure specification: the page, the print files and the CSV are all drawn from it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from webapp.compare.costs import Limit, cut
from webapp.exports.bands import Series
from webapp.exports.configurations import RunLike
from webapp.exports.envelopes import HIGH, LOW, MOST_IN_FULL, drawn_groups
from webapp.exports.metrics import Metric, Unit
from webapp.exports.ticks import log_ticks
from webapp.exports.traces import Surrounds, Trace, build_trace

XAxis = Literal["step", "seconds", "inner_steps", "gradient_evaluations", "peak_bytes"]
Scale = Literal["auto", "log", "linear"]
SeriesOfRuns = Mapping[int, Mapping[str, Series]]

X_AXES: dict[XAxis, tuple[str, Unit]] = {
    "step": ("Outer step", ""),
    "seconds": ("Time", "s"),
    "inner_steps": ("Inner steps", ""),
    "gradient_evaluations": ("Gradient evaluations", ""),
    "peak_bytes": ("Most memory so far", "B"),
}
MOST_TABLE_ROWS = 12
BAND_WORDS: dict[Surrounds, str] = {
    "standard_error": "mean ± standard error over seeds",
    "confidence": "95 % confidence interval",
    "quantiles": f"median, with the band from the {100 * LOW:g} % to the {100 * HIGH:g} % quantile",
}


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
class Seam:
    """Where an attempt of the run went on: what is right of `x` is its work, or a later one's."""

    x: float
    attempt: int
    step: int

    @property
    def words(self) -> str:
        return f"attempt {self.attempt}, resumed from step {self.step}"


@dataclass(frozen=True)
class Figure:
    """A metric of some runs over a common x axis."""

    metric: Metric
    x_axis: Axis
    y_axis: Axis
    traces: tuple[Trace, ...]
    smoothing: float = 0.0
    seams: tuple[Seam, ...] = ()
    """Of a single run; where several are beside each other they would say nothing."""
    limit: Limit | None = None
    """What every run may have spent; later points are not drawn."""

    @property
    def title(self) -> str:
        return self.metric.title

    def is_late(self, seam: Seam) -> bool:
        """Whether there is more room for its words before it than after it."""
        ends = [(trace.x[0], trace.x[-1]) for trace in self.traces if len(trace.x)]
        first = 0.0 if self.x_axis.name != "step" else min(start for start, _ in ends)
        return seam.x > (first + max(end for _, end in ends)) / 2

    @property
    def empty(self) -> bool:
        return not self.traces

    @property
    def note(self) -> str:
        """How the curves came about, in words that belong under the figure."""
        shown = {trace.surrounds for trace in self.traces}
        parts = [words for surrounds, words in BAND_WORDS.items() if surrounds in shown]
        if self.smoothing:
            parts.append(f"smoothed with weight {self.smoothing:g}, raw curve faint")
        reasons = {mark.reason for trace in self.traces for mark in trace.marks}
        if reasons:
            parts.append(f"× {', '.join(sorted(reasons))}")
        if self.limit:
            parts.append(self.limit.words)
        return "; ".join(parts)

    @property
    def log_ticks(self) -> list[float]:
        """Where a logarithmic y axis is labelled: nowhere, if no point has a place on it."""
        heights = np.concatenate([trace.y for trace in self.traces] or [np.zeros(0)])
        heights = heights[np.isfinite(heights) & (heights > 0)]
        return log_ticks(float(heights.min()), float(heights.max())) if len(heights) else []

    def floor_of(self, trace: Trace) -> float:
        """Where the band of `trace` is cut: −∞, but on a logarithmic axis, which has no end below,
        the lowest positive height of any curve. A confidence interval, whose lower end is a number
        of its own, may reach a decade below its own curve."""
        if not self.y_axis.log:
            return -math.inf
        confidence = trace.surrounds == "confidence"
        heights = np.concatenate([each.y for each in ([trace] if confidence else self.traces)])
        if confidence and not np.any(heights > 0):
            heights = trace.heights
        positive = heights[np.isfinite(heights) & (heights > 0)]
        lowest = float(positive.min()) if len(positive) else 1.0
        return lowest / 10 if confidence else lowest

    @property
    def y_range(self) -> tuple[float, float] | None:
        """The ends of the y axis, where the points alone would give ends that mislead.

        A flat curve gets room instead of its rounding errors, and a metric with natural limits
        those. `None` leaves the ends to the points.
        """
        values = np.concatenate([trace.heights for trace in self.traces] or [np.zeros(0)])
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
        return self.traces[0].value_at(-1, self.metric.unit, interval=False)

    def text_summary(self) -> str:
        """What a reader who does not see the curves needs: where each of them stands."""
        if self.empty:
            return f"{self.title}: no points yet."
        ends = "; ".join(self._end_of(trace) for trace in self.traces)
        text = f"{self.title} against {self.x_axis.full_title.lower()}. {ends}."
        return " ".join([text, *(f"{seam.words.capitalize()}." for seam in self.seams)])

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
    hidden: Collection[str] = (),
    band: bool = True,
    limit: Limit | None = None,
) -> Figure:
    """The figure of `metric` for `runs`, whose points are in `series` (run id → name → arrays).

    `smoothing` is the weight of the past in [0, 1); `band` says whether what surrounds a curve is
    drawn. Configurations without a point are left out,
    and those whose key is among `hidden`: the others look as they do beside them. Points past
    `limit` do not count. More than `MOST_IN_FULL` runs are drawn as envelopes.
    """
    title, unit = X_AXES[x]
    runs = list(runs)
    if limit:
        series = cut(series, limit)
    many = len(runs) > MOST_IN_FULL
    drawn = [series[run.pk][metric.name] for run in runs if metric.name in series.get(run.pk, {})]
    if scale == "auto":
        # A logarithmic axis has no place for a curve that is zero throughout, as variances are.
        log = metric.log and any(bool(np.any(values > 0)) for _, values in drawn)
    else:
        log = scale == "log"
    traces = [
        build_trace(configuration, series, metric.name, x, log, smoothing, band, many)
        for configuration in drawn_groups(runs)
        if configuration.key not in hidden
        and any(metric.name in series.get(run.pk, {}) for run in configuration.runs)
    ]
    traces = [trace for trace in traces if len(trace.x) or trace.marks]
    return Figure(
        metric=metric,
        x_axis=Axis(x, title, unit),
        y_axis=Axis(metric.name, metric.title, metric.unit, log),
        traces=tuple(traces),
        smoothing=smoothing,
        seams=_seams(runs[0], traces) if len(runs) == 1 else (),
        limit=limit,
    )


def _seams(run: RunLike, traces: list[Trace]) -> tuple[Seam, ...]:
    """At the first point of each attempt that went on, if it is there by now."""
    found = []
    for attempt, step in run.resumes:
        for trace in traces:
            after = np.flatnonzero(trace.steps >= step)
            if len(after):
                found.append(Seam(float(trace.x[after[0]]), attempt, step))
    return tuple(found)
