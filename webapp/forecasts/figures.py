"""Predicted against measured, and how the errors are distributed: as Plotly draws them and in
words. Colours are the page's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from django.urls import reverse

from webapp.exports.metrics import Unit
from webapp.exports.numbers import format_value
from webapp.exports.palette import COLOURS, DASHES
from webapp.exports.pictures.axes import log_axis, plotly_text
from webapp.forecasts.accuracy import FACTORS, Pair, Quantity, is_within

UNITS: dict[Quantity, Unit] = {"memory": "B", "time": "s"}
SYMBOLS = ("circle", "diamond", "square", "triangle-up")
"""Taken in turn where there are more estimators than colours."""
MARGIN = {"l": 64, "r": 14, "t": 10, "b": 44}
BINS_PER_OCTAVE: dict[Quantity, int] = {"memory": 20, "time": 4}
WIDEST: dict[Quantity, float] = {"memory": 2.0, "time": 8.0}
"""Ratios beyond, and below one over it, are counted with the outermost bars."""
MOST_TABLE_ROWS = 50

Figure = dict[str, Any]


def scatter(pairs: list[Pair], quantity: Quantity) -> Figure:
    """Measured over predicted on two logarithmic axes of the same ends, a colour an estimator."""
    unit, factor = UNITS[quantity], FACTORS[quantity]
    estimators = sorted({pair.row.estimator for pair in pairs})
    values = [value for pair in pairs for value in (pair.predicted, pair.measured)]
    low, high = min(values) / 1.5, max(values) * 1.5
    ends = {"range": [math.log10(low), math.log10(high)]}
    lines = [_diagonal(low, high, 1.0, "solid")]
    lines += [_diagonal(low, high, apart, "dash") for apart in (factor, 1.0 / factor)]
    points = [
        _points([p for p in pairs if p.row.estimator == estimator], number, estimator, quantity)
        for number, estimator in enumerate(estimators)
    ]
    within = sum(is_within(pair, quantity) for pair in pairs)
    return {
        "plotly": {
            "data": [*lines, *points],
            "layout": {
                "xaxis": {**log_axis("Predicted", low, high, unit), **ends},
                "yaxis": {**log_axis("Measured", low, high, unit), **ends},
                "margin": MARGIN,
                "hovermode": "closest",
                "showlegend": False,
            },
        },
        "legend": [
            {"label": estimator, "slot": _slot(number), "dash": DASHES[_turn(number) % 4]}
            for number, estimator in enumerate(estimators)
        ],
        "text_summary": (
            f"Measured against predicted {quantity} of {len(pairs)} runs: {within} of them within "
            f"{_closeness(quantity)}."
        ),
        "table": {
            "header": ["Run", "Estimator", "Worker", "Predicted", "Measured"],
            "rows": [
                [
                    pair.row.run.label,
                    pair.row.estimator,
                    pair.row.worker,
                    format_value(pair.predicted, unit),
                    format_value(pair.measured, unit),
                ]
                for pair in pairs[:MOST_TABLE_ROWS]
            ],
        },
    }


def errors(pairs: list[Pair], quantity: Quantity) -> Figure:
    """How many runs have which measured over predicted, on a logarithmic axis."""
    logs = np.log2([pair.ratio for pair in pairs])
    width = 1.0 / BINS_PER_OCTAVE[quantity]
    reach = min(max(4 * width, float(np.abs(logs).max())), math.log2(WIDEST[quantity]))
    count = math.ceil(reach / width)
    # An odd number of bars: the middle one is of those that were right.
    edges = width * (np.arange(-count, count + 2) - 0.5)
    counts, _ = np.histogram(np.clip(logs, edges[0], edges[-1]), edges)
    centres = (edges[:-1] + edges[1:]) / 2
    ratio: Callable[[float], str] = lambda power: f"{2.0**power:.2f}"  # noqa: E731
    said = [
        f"{ratio(a)} to {ratio(b)}: {n} run{'s' if n != 1 else ''}"
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    ticks = [power for power in _round_powers(reach) if abs(power) <= edges[-1]]
    return {
        "plotly": {
            "data": [
                {
                    "type": "bar",
                    "x": centres.tolist(),
                    "y": counts.tolist(),
                    "width": 0.9 * width,
                    "customdata": said,
                    "hovertemplate": "%{customdata}<extra></extra>",
                    "marker": {},
                    "meta": {"slot": 0, "part": "line"},
                }
            ],
            "layout": {
                "xaxis": {
                    "title": {"text": "Measured / predicted", "standoff": 8},
                    "tickvals": ticks,
                    "ticktext": [f"{2.0**power:.3g}" for power in ticks],
                    "tickangle": 0,
                    "zeroline": False,
                },
                "yaxis": {"title": {"text": "Runs"}, "rangemode": "tozero", "nticks": 5},
                "margin": {**MARGIN, "l": 48},
                "showlegend": False,
            },
        },
        "text_summary": (
            f"Measured over predicted {quantity}: half of the runs between "
            f"{ratio(float(np.quantile(logs, 0.25)))} and {ratio(float(np.quantile(logs, 0.75)))}, "
            f"the median is {ratio(float(np.median(logs)))}."
        ),
        "table": {
            "header": ["Measured / predicted", "Runs"],
            "rows": [
                [f"{ratio(a)} – {ratio(b)}", str(n)]
                for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
                if n
            ],
        },
    }


def _points(pairs: list[Pair], number: int, estimator: str, quantity: Quantity) -> dict[str, Any]:
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "markers",
        "name": plotly_text(estimator),
        "x": [pair.predicted for pair in pairs],
        "y": [pair.measured for pair in pairs],
        "marker": {"size": 8, "opacity": 0.8, "symbol": SYMBOLS[_turn(number) % len(SYMBOLS)]},
        "customdata": [
            [reverse("runs:detail", args=[pair.row.run_id]), *_hover(pair, quantity)]
            for pair in pairs
        ],
        "hovertemplate": "<b>%{customdata[1]}</b><br>%{customdata[2]}<br>%{customdata[3]}"
        "<extra></extra>",
        "meta": {"slot": _slot(number), "part": "line"},
    }
    if quantity == "time":
        # Plotly takes the lengths of the two arms, the coordinates being as they are in the data.
        trace["error_x"] = {
            "type": "data",
            "symmetric": False,
            "array": [pair.row.seconds_high - pair.predicted for pair in pairs],
            "arrayminus": [pair.predicted - pair.row.seconds_low for pair in pairs],
            "thickness": 1,
            "width": 0,
        }
    return trace


def _hover(pair: Pair, quantity: Quantity) -> tuple[str, str, str]:
    unit, row = UNITS[quantity], pair.row
    said = f"predicted {format_value(pair.predicted, unit)}"
    if quantity == "time":
        low, high = (format_value(end, unit) for end in (row.seconds_low, row.seconds_high))
        said += f" ({low} to {high})"
    took = f"measured {format_value(pair.measured, unit)}, {pair.ratio:.2f} times as much"
    return plotly_text(row.run.label), said, took


def _diagonal(low: float, high: float, apart: float, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [low, high],
        "y": [low * apart, high * apart],
        "line": {"width": 1, "dash": dash},
        "hoverinfo": "skip",
        "meta": {"slot": 0, "part": "ink"},
    }


def _round_powers(reach: float) -> list[float]:
    """Where an axis of ratios that reaches `reach` powers of two is labelled, as such powers."""
    if reach <= 0.5:
        ratios = (0.8, 0.9, 1.0, 1.1, 1.25)
    elif reach <= 1.0:
        ratios = (0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0)
    else:
        ratios = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
    return [math.log2(ratio) for ratio in ratios]


def _closeness(quantity: Quantity) -> str:
    return {"memory": "10 % of what was measured", "time": "a factor of 1.5"}[quantity]


def _slot(number: int) -> int:
    return number % len(COLOURS)


def _turn(number: int) -> int:
    return number // len(COLOURS)
