"""A chart for the page: Plotly's JSON, without the colours that the page's theme decides."""

from __future__ import annotations

import math
from typing import Any

from webapp.exports.charts import MOST_TABLE_ROWS, SYMBOLS, Chart, Stroke
from webapp.exports.pictures.axes import plotly_text


def page_chart(chart: Chart) -> dict[str, Any]:
    """What the page draws, with its twins in words and numbers."""
    left_out = len(chart.rows) - MOST_TABLE_ROWS
    more = f" The table has the first {MOST_TABLE_ROWS} of {len(chart.rows)} rows."
    return {
        "name": chart.name,
        "title": chart.title,
        "explanation": chart.explanation,
        "note": chart.note,
        "plotly": {
            "data": [
                trace
                for each in chart.strokes
                for trace in ([_band(each)] if each.band else []) + [_stroke(each)]
            ],
            "layout": _layout(chart),
        },
        "legend": [
            {
                "label": each.label,
                "slot": each.slot,
                "dash": each.dash,
                "symbol": "" if each.joined else SYMBOLS[each.dash],
            }
            for each in chart.legend
        ],
        "text_summary": chart.text_summary + (more if left_out > 0 else ""),
        "table": {
            "header": list(chart.header),
            "rows": [list(row) for row in chart.rows[:MOST_TABLE_ROWS]],
        },
    }


def _stroke(stroke: Stroke) -> dict[str, Any]:
    words = [plotly_text(text).replace("\n", "<br>") for text in stroke.words]
    base: dict[str, Any] = {
        "type": "scatter",
        "name": plotly_text(stroke.label),
        "x": list(stroke.x),
        "y": list(stroke.y),
        "meta": {"slot": stroke.slot, "part": stroke.part},
        "opacity": 0.3 if stroke.faint else 1.0,
        "hoverinfo": "skip",
    }
    if stroke.part == "text":
        return {**base, "mode": "text", "text": words, "cliponaxis": False}
    mode = "+".join(
        name for name, on in (("lines", stroke.joined), ("markers", stroke.marked)) if on
    )
    base |= {
        "mode": mode,
        "line": {"dash": stroke.dash, "width": stroke.width},
        "marker": {"size": 6 if stroke.joined else 10, "symbol": SYMBOLS[stroke.dash]},
        "cliponaxis": not stroke.marked,
        **_whiskers("error_x", stroke.x, stroke.x_low, stroke.x_high),
        **({} if stroke.band else _whiskers("error_y", stroke.y, stroke.y_low, stroke.y_high)),
    }
    if words:
        said = "%{customdata}<extra></extra>"
        del base["hoverinfo"]
        base |= {"customdata": words, "hovertemplate": f"<b>{base['name']}</b><br>{said}"}
    return base


def _band(stroke: Stroke) -> dict[str, Any]:
    """The area between the ends, out along the low ones and back along the high ones."""
    ends = [
        (x, low, high)
        for x, low, high in zip(stroke.x, stroke.y_low, stroke.y_high, strict=True)
        if x is not None and math.isfinite(low) and math.isfinite(high)
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for x, _, _ in ends] + [x for x, _, _ in reversed(ends)],
        "y": [low for _, low, _ in ends] + [high for _, _, high in reversed(ends)],
        "fill": "toself",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "meta": {"slot": stroke.slot, "part": "band"},
    }


def _whiskers(
    name: str,
    at: tuple[float | None, ...],
    low: tuple[float, ...],
    high: tuple[float, ...],
) -> dict[str, Any]:
    """Plotly takes the lengths of the two arms."""
    if not low:
        return {}
    arms = [
        (0.0, 0.0) if middle is None else (end - middle, middle - start)
        for middle, start, end in zip(at, low, high, strict=True)
    ]
    return {
        name: {
            "type": "data",
            "symmetric": False,
            "array": [up for up, _ in arms],
            "arrayminus": [down for _, down in arms],
            "thickness": 1,
            "width": 3,
        }
    }


def _layout(chart: Chart) -> dict[str, Any]:
    return {
        "xaxis": {**chart.x_axis.plotly(), "automargin": True},
        "yaxis": chart.y_axis.plotly(),
        "margin": {"l": 64, "r": 20, "t": 14, "b": 46},
        "hovermode": "closest",
        "showlegend": False,
    }
