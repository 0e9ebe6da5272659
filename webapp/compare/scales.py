"""The axis of one metric over configurations, with a place for zero on a logarithmic one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from webapp.exports.metrics import Metric, Unit
from webapp.exports.pictures.axes import Axis
from webapp.exports.ticks import log_ticks, round_ticks, tick_label

WIDE = 8.0
"""Ratio of the largest to the smallest value from which an axis of sizes is logarithmic."""


@dataclass(frozen=True)
class Scale:
    axis: Axis
    zero: float | None = None
    """Where zero stands on a logarithmic axis that has to show it; `None` where it need not."""

    def place(self, value: float) -> float:
        """Where the axis shows `value`; what is below its end is shown there."""
        return value if self.zero is None else max(value, self.zero)


def metric_scale(metric: Metric, values: Iterable[float]) -> Scale:
    """The scale of finite `values` of `metric`."""
    return scale(metric.title, values, unit=metric.unit, log=metric.log)


def scale(title: str, values: Iterable[float], *, unit: Unit = "", log: bool) -> Scale:
    """The scale of finite `values`; linear where `log` is asked for but no value is positive.

    On a logarithmic scale zero stands a decade below the least positive value, and is labelled.
    """
    known = list(values)
    positive = [value for value in known if value > 0]
    if not (log and positive):
        return Scale(_linear(title, known or [0.0], unit))
    low, high = min(positive), max(positive)
    zero = 10.0 ** (math.floor(math.log10(low)) - 1) if min(known) <= 0 else None
    # Halving the least float there is gives zero, doubling the largest infinity.
    ends = (zero / 1.5 if zero else max(low / 2, 5e-324), min(high * 2, 1e308))
    ticks = [tick for tick in log_ticks(low, high) if ends[0] <= tick <= ends[1]]
    if zero:
        ticks = [zero, *(tick for tick in ticks if tick > zero)]
    labels = ["0" if tick == zero else tick_label(tick, unit) for tick in ticks]
    return Scale(Axis(title, True, tuple(ticks), ends, tuple(labels)), zero)


def _linear(title: str, values: list[float], unit: Unit) -> Axis:
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.5 * abs(high)
    ends = (low - room, high + room) if room else (-0.08, 1.08)
    if not all(map(math.isfinite, ends)):
        return Axis(title, False)
    ticks = round_ticks(*ends)
    return Axis(title, False, tuple(ticks), ends, tuple(_label(tick, unit) for tick in ticks))


def _label(tick: float, unit: Unit) -> str:
    """Of a linear axis, which goes through zero and below."""
    if tick == 0:
        return "0"
    return ("−" if tick < 0 else "") + tick_label(abs(tick), unit)
