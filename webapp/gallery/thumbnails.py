"""A chart drawn small, without axes or words: the picture on a question's card."""

from __future__ import annotations

import math
from dataclasses import dataclass

from webapp.exports.charts import Chart
from webapp.exports.pictures.axes import Axis

WIDTH, HEIGHT, MARGIN = 160.0, 72.0, 5.0
MOST_POINTS = 120


@dataclass(frozen=True)
class Mark:
    """One stroke in the small picture."""

    slot: int
    dash: str
    line: str
    """Points of a polyline, empty where no line joins them."""
    dots: tuple[tuple[float, float], ...]


def marks_of(chart: Chart) -> tuple[Mark, ...]:
    drawn = [each for each in chart.strokes if each.part != "text"]
    places = [
        [
            (_place(x, chart.x_axis), _place(y, chart.y_axis))
            for x, y in zip(each.x, each.y, strict=True)
        ]
        for each in drawn
    ]
    known = [(x, y) for points in places for x, y in points if x is not None and y is not None]
    if not known:
        return ()
    across, along = _scale([x for x, _ in known], WIDTH), _scale([y for _, y in known], HEIGHT)
    found = []
    for stroke, points in zip(drawn, places, strict=True):
        spots = [
            (round(across(x), 1), round(HEIGHT - along(y), 1))
            for x, y in points[:: max(1, len(points) // MOST_POINTS)]
            if x is not None and y is not None
        ]
        line = " ".join(f"{x},{y}" for x, y in spots) if stroke.joined else ""
        found.append(Mark(stroke.slot, stroke.dash, line, () if stroke.joined else tuple(spots)))
    return tuple(found)


def _place(value: float | None, axis: Axis) -> float | None:
    if value is None or not math.isfinite(value) or (axis.log and value <= 0):
        return None
    return math.log10(value) if axis.log else value


def _scale(values: list[float], length: float):
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return lambda value: MARGIN + (value - low) / span * (length - 2 * MARGIN)
