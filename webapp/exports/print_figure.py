"""A figure for paper: PNG, SVG or PDF at true size, light, with its provenance inside."""

from __future__ import annotations

from typing import Any

import numpy as np

from webapp.exports.figures import Figure
from webapp.exports.palette import MATPLOTLIB_DASHES
from webapp.exports.paper import (
    SOFT,
    Font,
    Format,
    Size,
    add_legend,
    dress,
    legend_height,
    on_paper,
)
from webapp.exports.plotly_figure import broken, stretches
from webapp.exports.provenance import provenance_of
from webapp.exports.ticks import tick_label
from webapp.exports.traces import Trace


def print_figure(figure: Figure, format: Format, size: Size, font: Font = "sans") -> bytes:
    """The file's content. The same figure gives the same bytes."""
    provenance = provenance_of(figure)
    note = size.row if figure.note else 0.0
    return on_paper(
        lambda canvas: _draw(canvas, figure, size),
        format=format,
        size=size,
        width=size.width,
        height=size.height + legend_height(len(figure.traces), size) + note,
        title=f"{figure.title}: {', '.join(provenance.experiments)}",
        origin=provenance.as_json(),
        font=font,
    )


def _draw(canvas: Any, figure: Figure, size: Size) -> None:
    axes = canvas.subplots()
    handles = [_draw_trace(axes, trace, figure, size.font / 6) for trace in figure.traces]
    _draw_seams(axes, figure, size)
    _dress(axes, figure, size)
    if handles:
        add_legend(canvas, handles, [_legend_label(trace) for trace in figure.traces], size)


def _draw_seams(axes: Any, figure: Figure, size: Size) -> None:
    """Dotted lines; the words of the last alone, as two would lie over each other."""
    for seam in figure.seams:
        axes.axvline(seam.x, color=SOFT, linestyle="dotted", linewidth=size.font / 12, zorder=1)
    for seam in figure.seams[-1:]:
        side, towards = (-1, "right") if figure.is_late(seam) else (1, "left")
        axes.annotate(
            seam.words,
            xy=(seam.x, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(2 * side, 0),
            textcoords="offset points",
            ha=towards,
            va="top",
            color=SOFT,
            fontsize=0.7 * size.font,
        )


def _draw_trace(axes: Any, trace: Trace, figure: Figure, line: float) -> Any:
    colour = trace.configuration.colour
    dash = MATPLOTLIB_DASHES[trace.configuration.dash]
    x = np.insert(trace.x, trace.breaks, trace.x[trace.breaks])
    if trace.lower is not None and trace.upper is not None:
        floor = figure.floor_of(trace)
        lower = broken(trace, np.maximum(trace.lower, floor))
        upper = broken(trace, np.maximum(trace.upper, floor))
        for part in stretches(np.isfinite(lower)):
            axes.fill_between(x[part], lower[part], upper[part], color=colour, alpha=0.16, lw=0)
            if part.stop - part.start == 1:  # an outline without an area
                axes.vlines(x[part], lower[part], upper[part], color=colour, lw=0.75 * line)
    if trace.raw is not None:
        raw = _drawable(broken(trace, trace.raw), figure)
        axes.plot(x, raw, color=colour, alpha=0.3, lw=line / 2)
    (handle,) = axes.plot(
        x,
        _drawable(broken(trace, trace.y), figure),
        color=colour,
        linestyle=dash,
        lw=line,
        marker="o" if len(trace.x) <= 15 else None,
        markersize=2 * line,
    )
    if trace.marks:
        axes.plot(
            [mark.x for mark in trace.marks],
            [0.02] * len(trace.marks),
            transform=axes.get_xaxis_transform(),
            color=colour,
            linestyle="none",
            marker="x",
            markersize=3.5 * line,
            clip_on=False,
        )
    return handle


def _dress(axes: Any, figure: Figure, size: Size) -> None:
    from matplotlib.ticker import EngFormatter, PercentFormatter

    if figure.y_axis.log:
        axes.set_yscale("log", nonpositive="clip")
    if figure.y_range is not None:
        axes.set_ylim(figure.y_range)
    if figure.y_axis.log:
        shown = axes.get_ylim()
        ticks = figure.log_ticks
        axes.set_yticks(ticks, [tick_label(tick, figure.y_axis.unit) for tick in ticks])
        axes.set_yticks([], minor=True)
        axes.set_ylim(shown)
    elif figure.y_axis.unit == "%":
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1.0))
    elif figure.y_axis.unit:
        axes.yaxis.set_major_formatter(EngFormatter(unit=figure.y_axis.unit))
    if figure.x_axis.unit:
        axes.xaxis.set_major_formatter(EngFormatter(unit=figure.x_axis.unit))
    axes.set_xlabel(figure.x_axis.title, color=SOFT)
    axes.set_ylabel(figure.y_axis.title, color=SOFT)
    dress(axes)
    axes.margins(x=0.02)
    if figure.note:
        axes.set_title(figure.note, loc="right", color=SOFT, fontsize=0.8 * size.font)


def _drawable(values: np.ndarray, figure: Figure) -> np.ndarray:
    shown = np.isfinite(values) & ((values > 0) | (not figure.y_axis.log))
    return np.where(shown, values, np.nan)


def _legend_label(trace: Trace) -> str:
    stated = trace.seeds_stated
    return f"{trace.label} ({stated})" if stated else trace.label
