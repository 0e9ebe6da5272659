"""A figure for paper: PNG, SVG or PDF at true size, light, with its provenance inside.

Matplotlib is loaded on the first export, not when a web process starts, and through its object
interface: pyplot would keep figures alive between requests.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from webapp.exports.figures import Figure
from webapp.exports.palette import MATPLOTLIB_DASHES
from webapp.exports.plotly_figure import broken, stretches
from webapp.exports.provenance import provenance_of
from webapp.exports.ticks import tick_label
from webapp.exports.traces import Trace

Format = Literal["png", "svg", "pdf"]
CENTIMETRES_PER_INCH = 2.54
INK, SOFT, GRID = "#191b1f", "#5d636c", "#e4e3de"

_matplotlib_is_not_thread_safe = threading.Lock()


@dataclass(frozen=True)
class Size:
    """How large a figure is on paper."""

    title: str
    width: float
    """In centimetres."""
    height: float
    """Of the axes' part in centimetres; the legend comes below it."""
    font: float
    """In points."""


SIZES: dict[str, Size] = {
    "column": Size("One column, 8.5 cm", 8.5, 5.6, 7.5),
    "page": Size("Full width, 17.5 cm", 17.5, 8.5, 9.0),
    "slide": Size("Slide, 25.4 cm", 25.4, 13.0, 16.0),
}


def print_figure(figure: Figure, format: Format, size: Size) -> bytes:
    """The file's content. The same figure gives the same bytes."""
    with _matplotlib_is_not_thread_safe:
        return _draw(figure, format, size)


def _draw(figure: Figure, format: Format, size: Size) -> bytes:
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    style = {
        "font.family": "DejaVu Sans",
        "font.size": size.font,
        "axes.titlesize": size.font,
        "axes.labelsize": size.font,
        "xtick.labelsize": 0.9 * size.font,
        "ytick.labelsize": 0.9 * size.font,
        "legend.fontsize": 0.9 * size.font,
        # Type 42 keeps text as text in a PDF, with its font inside; outlines need no font in SVG.
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "metaopt-lab",
    }
    with matplotlib.rc_context(style):
        columns = 1 if size.width < 10 else 2 if size.width < 20 else 3
        legend_rows = -(-len(figure.traces) // columns)
        row = 1.65 * size.font / 72 * CENTIMETRES_PER_INCH
        note = row if figure.note else 0.0
        height = size.height + legend_rows * row + note
        canvas = Canvas(
            figsize=(size.width / CENTIMETRES_PER_INCH, height / CENTIMETRES_PER_INCH),
            layout="constrained",
            facecolor="white",
        )
        axes = canvas.subplots()
        line = size.font / 6
        handles = [_draw_trace(axes, trace, figure, line) for trace in figure.traces]
        _dress(axes, figure, size)
        if handles:
            canvas.legend(
                handles,
                [_plain_text(_legend_label(trace)) for trace in figure.traces],
                loc="outside lower left",
                ncols=columns,
                frameon=False,
                handlelength=2.6,
                borderaxespad=0.2,
            )
        content = io.BytesIO()
        canvas.savefig(content, format=format, dpi=300, metadata=_metadata(figure, format))
    return content.getvalue()


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
    from matplotlib.ticker import EngFormatter

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
    elif figure.y_axis.unit:
        axes.yaxis.set_major_formatter(EngFormatter(unit=figure.y_axis.unit))
    if figure.x_axis.unit:
        axes.xaxis.set_major_formatter(EngFormatter(unit=figure.x_axis.unit))
    axes.set_xlabel(figure.x_axis.title, color=SOFT)
    axes.set_ylabel(figure.y_axis.title, color=SOFT)
    axes.grid(True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(colors=SOFT, which="both", width=0.6)
    axes.margins(x=0.02)
    if figure.note:
        axes.set_title(figure.note, loc="right", color=SOFT, fontsize=0.8 * size.font)


def _drawable(values: np.ndarray, figure: Figure) -> np.ndarray:
    shown = np.isfinite(values) & ((values > 0) | (not figure.y_axis.log))
    return np.where(shown, values, np.nan)


def _legend_label(trace: Trace) -> str:
    stated = trace.seeds_stated
    return f"{trace.label} ({stated})" if stated else trace.label


def _plain_text(text: str) -> str:
    """`text` with nothing in it that matplotlib would read as mathematics."""
    return _printable(text).replace("$", r"\$")


def _printable(text: str) -> str:
    """`text` without control characters, for which XML has no words."""
    return "".join(character if character.isprintable() else " " for character in text)


def _metadata(figure: Figure, format: Format) -> dict[str, Any]:
    provenance = provenance_of(figure)
    title = _printable(f"{figure.title}: {', '.join(provenance.experiments)}")
    content = provenance.as_json()
    if format == "svg":
        return {
            "Title": title,
            "Description": content,
            "Creator": "Meta-optimization lab",
            "Date": None,
        }
    if format == "pdf":
        return {
            "Title": title,
            "Subject": content,
            "Creator": "Meta-optimization lab",
            "CreationDate": None,
        }
    return {"Title": title, "Description": content, "Software": "Meta-optimization lab"}
