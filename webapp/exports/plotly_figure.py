"""A figure for the page: Plotly's JSON, without the colours that the page's theme decides."""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np

from webapp.exports.figures import Axis, Figure
from webapp.exports.metrics import Unit
from webapp.exports.numbers import format_value
from webapp.exports.ticks import tick_label
from webapp.exports.traces import Trace

MOST_MARKERS = 20
_SUFFIX: dict[Unit, str] = {"": "", "s": " s", "B": "B", "%": ""}
_TICK_FORMAT: dict[Unit, str] = {"": "", "s": "~s", "B": "~s", "%": "~%"}


def plotly_figure(figure: Figure) -> dict[str, Any]:
    """`{"data": [...], "layout": {...}}` for `Plotly.react`.

    A trace's `meta` has its colour's number (`slot`, of the page's `--run-N`) and its `part`
    (`band`, `whiskers`, `raw`, `line` or `marks`); `legendgroup` is the configuration's key.
    """
    data: list[dict[str, Any]] = []
    for trace in figure.traces:
        if trace.lower is not None and trace.upper is not None:
            floor = figure.floor_of(trace)
            data += _around(trace, np.maximum(trace.lower, floor), np.maximum(trace.upper, floor))
        if trace.raw is not None:
            data.append(_line(trace, figure, trace.raw, "raw"))
        data.append(_line(trace, figure, trace.y, "line"))
        if trace.marks:
            data.append(_marks(trace))
    return {"data": data, "layout": _layout(figure)}


def _base(trace: Trace, part: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": html.escape(trace.label),
        "legendgroup": trace.configuration.key,
        "showlegend": False,
        "meta": {"slot": trace.configuration.slot, "part": part},
    }


def _line(trace: Trace, figure: Figure, y: np.ndarray, part: str) -> dict[str, Any]:
    x = _plain(np.insert(trace.x, trace.breaks, trace.x[trace.breaks]))
    line = {"dash": trace.configuration.dash, "width": 2, "shape": "linear"}
    if part == "raw":
        return {
            **_base(trace, part),
            "x": x,
            "y": _drawable(broken(trace, y), figure.y_axis),
            "mode": "lines",
            "line": {**line, "width": 1},
            "opacity": 0.3,
            "hoverinfo": "skip",
        }
    points = np.arange(len(trace.x))
    few = len(points) <= MOST_MARKERS
    # A curve that is alone needs no name under the pointer.
    name = html.escape(trace.label) if len(figure.traces) > 1 else ""
    return {
        **_base(trace, part),
        "x": x,
        "y": _drawable(broken(trace, y), figure.y_axis),
        "mode": "lines+markers" if few else "lines",
        "line": line,
        "marker": {"size": 5},
        "customdata": [_hover(trace, i, figure) for i in np.insert(points, trace.breaks, 0)],
        "hovertemplate": f"%{{customdata}}<extra>{name}</extra>",
    }


def _hover(trace: Trace, index: int, figure: Figure) -> str:
    text = trace.value_at(index, figure.metric.unit)
    return text if trace.error_at(index) is None else f"{text} (N = {int(trace.n[index])})"


def _around(trace: Trace, lower: np.ndarray, upper: np.ndarray) -> list[dict[str, Any]]:
    """The band as closed outlines, one for each stretch of points that have ends; a whisker where
    such a point stands alone, as an outline would have no area."""
    across = np.insert(trace.x, trace.breaks, trace.x[trace.breaks])
    lower, upper = broken(trace, lower), broken(trace, upper)
    bands, whiskers = [], []
    for part in stretches(np.isfinite(lower) & np.isfinite(upper)):
        outline = (
            [*_plain(across[part]), *_plain(across[part][::-1])],
            [*_plain(upper[part]), *_plain(lower[part][::-1])],
        )
        (whiskers if part.stop - part.start == 1 else bands).append(outline)
    drawn = []
    if bands:
        look = {"fill": "toself", "line": {"width": 0}}
        drawn.append({**_base(trace, "band"), **_joined(bands), **look})
    if whiskers:
        drawn.append({**_base(trace, "whiskers"), **_joined(whiskers), "line": {"width": 1.5}})
    return drawn


def _joined(outlines: list[tuple[list[float], list[float]]]) -> dict[str, Any]:
    """The outlines as one trace, with a gap between each two."""
    x: list[float | None] = []
    y: list[float | None] = []
    for across, along in outlines:
        x += [*([None] if x else []), *across]
        y += [*([None] if y else []), *along]
    return {"x": x, "y": y, "mode": "lines", "hoverinfo": "skip"}


def _marks(trace: Trace) -> dict[str, Any]:
    return {
        **_base(trace, "marks"),
        "x": [mark.x for mark in trace.marks],
        "y": [0.02] * len(trace.marks),
        "yaxis": "y2",
        "mode": "markers",
        "marker": {"symbol": "x-thin", "size": 7, "line": {"width": 1.5}},
        "customdata": [f"{format_value(mark.value)}, {mark.reason}" for mark in trace.marks],
        "hovertemplate": f"%{{customdata}}<extra>{html.escape(trace.label)}</extra>",
    }


def stretches(wanted: np.ndarray) -> list[slice]:
    """The slices of consecutive true entries of the boolean array `wanted`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(int)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _layout(figure: Figure) -> dict[str, Any]:
    return {
        "xaxis": {
            "title": {"text": figure.x_axis.full_title, "standoff": 8},
            "rangemode": "tozero" if figure.x_axis.name != "step" else "normal",
            "zeroline": False,
            "showspikes": False,
            "exponentformat": "SI",
        },
        "yaxis": {
            "type": "log" if figure.y_axis.log else "linear",
            "zeroline": False,
            "ticksuffix": _SUFFIX[figure.y_axis.unit],
            "tickformat": _TICK_FORMAT[figure.y_axis.unit],
            "exponentformat": "power",
            "nticks": 6,
            **_range(figure),
            **_log_labels(figure),
        },
        "yaxis2": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
        "margin": {"l": 60, "r": 14, "t": 10, "b": 44},
        "hovermode": "x unified",
        "showlegend": False,
        **_seams(figure),
        "uirevision": f"{figure.x_axis.name} {figure.y_axis.log}",
    }


def _seams(figure: Figure) -> dict[str, Any]:
    """A dotted line, with its words, where an attempt of the run went on."""
    upright = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
    dotted = {"dash": "dot", "width": 1}
    words = {"yref": "paper", "y": 1, "yanchor": "top", "showarrow": False}
    right = {"xanchor": "left", "xshift": 3}
    left = {"xanchor": "right", "xshift": -3}
    return {
        "shapes": [{**upright, "x0": s.x, "x1": s.x, "line": dotted} for s in figure.seams],
        "annotations": [
            {**words, **(left if figure.is_late(s) else right), "x": s.x, "text": s.words}
            for s in figure.seams[-1:]
        ],
    }


def _log_labels(figure: Figure) -> dict[str, Any]:
    """Labels of a logarithmic axis; none where no point has a place on it."""
    if not figure.y_axis.log:
        return {}
    ticks = figure.log_ticks
    return {
        "tickvals": ticks,
        "ticktext": [tick_label(tick, figure.y_axis.unit) for tick in ticks],
        "ticksuffix": "",
    }


def _range(figure: Figure) -> dict[str, Any]:
    if figure.y_range is None:
        return {}
    low, high = figure.y_range
    return {"range": [math.log10(low), math.log10(high)] if figure.y_axis.log else [low, high]}


def broken(trace: Trace, values: np.ndarray) -> np.ndarray:
    """`values` with a gap wherever the curve is not joined."""
    return np.insert(values, trace.breaks, np.nan)


def _drawable(values: np.ndarray, axis: Axis) -> list[float | None]:
    """`values` as JSON numbers, with gaps where the axis has no place for one."""
    return [
        float(value) if math.isfinite(value) and (value > 0 or not axis.log) else None
        for value in values
    ]


def _plain(values: np.ndarray) -> list[float]:
    return [float(value) for value in values]
