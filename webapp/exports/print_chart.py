"""A chart for paper: PNG, SVG or PDF at true size, light, with its origin inside."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import numpy as np

from webapp.exports.charts import SYMBOLS, Chart, Stroke
from webapp.exports.palette import COLOURS, MATPLOTLIB_DASHES
from webapp.exports.paper import (
    SOFT,
    Font,
    Format,
    Size,
    add_legend,
    dress,
    legend_height,
    on_paper,
    plain_text,
)
from webapp.exports.pictures.axes import on_matplotlib
from webapp.exports.provenance import provenance_of_chart

MOST_LEGEND_ENTRIES = 24
"""More would leave no room for the drawing; a file of numbers names them all."""
NOTE = 0.8
"""Size of the note's letters beside the others."""
_MARKERS = {"circle": "o", "diamond": "D", "square": "s", "triangle-up": "^"}


def print_chart(chart: Chart, format: Format, size: Size, font: Font = "sans") -> bytes:
    """The file's content. The same chart gives the same bytes."""
    origin = provenance_of_chart(chart)
    entries = min(len(chart.legend), MOST_LEGEND_ENTRIES)
    return on_paper(
        lambda canvas: _draw(canvas, chart, size),
        format=format,
        size=size,
        width=size.width,
        height=size.height
        + legend_height(entries, size)
        + size.row * len(_note_lines(chart.note, size)),
        title=f"{chart.title}: {', '.join(origin.experiments)}",
        origin=origin.as_json(),
        font=font,
    )


def _draw(canvas: Any, chart: Chart, size: Size) -> None:
    axes = canvas.subplots()
    handles = {id(each): _draw_stroke(axes, each, size.font / 6) for each in chart.strokes}
    on_matplotlib(axes, chart.x_axis, chart.y_axis)
    dress(axes)
    if chart.note:
        lines = "\n".join(map(plain_text, _note_lines(chart.note, size)))
        axes.set_title(lines, loc="right", color=SOFT, fontsize=NOTE * size.font)
    shown = chart.legend[:MOST_LEGEND_ENTRIES]
    if shown:
        add_legend(canvas, [handles[id(each)] for each in shown], [s.label for s in shown], size)


def _note_lines(note: str, size: Size) -> list[str]:
    """The note in lines that fit the paper: a letter is at most 0.6 of its size wide."""
    points = 72 * size.width / 2.54
    return wrap(note, int(0.9 * points / (0.6 * NOTE * size.font)))


def _draw_stroke(axes: Any, stroke: Stroke, line: float) -> Any:
    x = np.array([np.nan if value is None else value for value in stroke.x])
    y = np.array([np.nan if value is None else value for value in stroke.y])
    colour = COLOURS[stroke.slot] if stroke.part == "line" else SOFT
    if stroke.part == "text":
        for across, along, words in zip(x, y, stroke.words, strict=True):
            axes.text(across, along, plain_text(words), color=SOFT, ha="center", va="center")
        return None
    alpha = 0.3 if stroke.faint else 1.0
    if stroke.band:
        axes.fill_between(x, stroke.y_low, stroke.y_high, color=colour, alpha=0.16, lw=0)
    for low, high, other, draw in (
        (stroke.x_low, stroke.x_high, y, axes.hlines),
        (stroke.y_low, stroke.y_high, x, axes.vlines),
    ):
        if low and not stroke.band:
            draw(other, low, high, color=colour, lw=0.5 * line, alpha=alpha)
    (handle,) = axes.plot(
        x,
        y,
        color=colour,
        alpha=alpha,
        linestyle=MATPLOTLIB_DASHES[stroke.dash] if stroke.joined else "none",
        lw=line * stroke.width / 2,
        marker=_MARKERS[SYMBOLS[stroke.dash]] if stroke.marked else None,
        markersize=(2.0 if stroke.joined else 4.0) * line,
    )
    return handle
