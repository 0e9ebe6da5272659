"""Memory of the graph against the horizon, as Plotly draws it and in words."""

from __future__ import annotations

from typing import Any

from webapp.exports.numbers import format_value
from webapp.exports.palette import COLOURS, DASHES
from webapp.exports.pictures.axes import log_axis, plotly_text
from webapp.graph_size.sizes import Example

LONGEST = 100_000
"""The longest horizon of a spec."""
MEMORIES = {"a laptop, 16 GB": 16e9, "a large GPU, 80 GB": 80e9}
MARGIN = {"l": 64, "r": 14, "t": 10, "b": 44}


def memory_against_horizon(examples: list[Example]) -> dict[str, Any]:
    """Straight lines of slope 1 on logarithmic axes; a dot at the example's own horizon."""
    low = min(example.bytes_per_step for example in examples)
    high = max(example.bytes_per_step for example in examples) * LONGEST
    lines = [_line(example, number) for number, example in enumerate(examples)]
    memories = [_memory(name, size) for name, size in MEMORIES.items()]
    largest = max(examples, key=lambda example: example.bytes)
    return {
        "plotly": {
            "data": [*memories, *lines],
            "layout": {
                "xaxis": log_axis("Horizon T (inner steps)", 1, LONGEST, ""),
                "yaxis": log_axis("Graph of the whole inner loop", low, high, "B"),
                "margin": MARGIN,
                "hovermode": "closest",
                "showlegend": False,
            },
        },
        "legend": [
            {"label": example.title, "slot": _slot(number), "dash": _dash(number)}
            for number, example in enumerate(examples)
        ],
        "text_summary": (
            f"The graph of {len(examples)} inner loops grows in proportion to the horizon. At its "
            f"usual horizon of {largest.horizon:,} steps the largest, {largest.title}, takes "
            f"{format_value(largest.bytes, 'B')}."
        ),
        "table": {
            "header": ["Inner loop", "A step", "Horizon", "All steps"],
            "rows": [
                [
                    example.title,
                    format_value(example.bytes_per_step, "B"),
                    f"{example.horizon:,}",
                    format_value(example.bytes, "B"),
                ]
                for example in examples
            ],
        },
    }


def _line(example: Example, number: int) -> dict[str, Any]:
    horizons = sorted({1, example.horizon, LONGEST})
    memory = [example.bytes_per_step * horizon for horizon in horizons]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": plotly_text(example.title),
        "x": horizons,
        "y": memory,
        "line": {"width": 2, "dash": _dash(number)},
        "marker": {"size": [9 if horizon == example.horizon else 0 for horizon in horizons]},
        "customdata": [
            f"{horizon:,} steps: {format_value(size, 'B')}"
            for horizon, size in zip(horizons, memory, strict=True)
        ],
        "hovertemplate": "<b>%{fullData.name}</b><br>%{customdata}<extra></extra>",
        "meta": {"slot": _slot(number), "part": "line"},
    }


def _memory(name: str, size: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+text",
        "x": [1, LONGEST],
        "y": [size, size],
        "text": [name, ""],
        "textposition": "top right",
        "line": {"width": 1, "dash": "dash"},
        "hoverinfo": "skip",
        "meta": {"slot": 0, "part": "ink"},
    }


def _slot(number: int) -> int:
    return number % len(COLOURS)


def _dash(number: int) -> str:
    return DASHES[number // len(COLOURS) % len(DASHES)]
