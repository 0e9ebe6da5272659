"""What every file for paper has in common: size, light look, and its origin inside.

Matplotlib is loaded on the first export, not when a web process starts, and through its object
interface: pyplot would keep figures alive between requests.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Format = Literal["png", "svg", "pdf"]
Font = Literal["sans", "serif"]
FONTS: dict[Font, list[str]] = {
    "sans": ["DejaVu Sans"],
    "serif": ["STIXGeneral", "DejaVu Serif"],
}
"""What matplotlib ships, so that every machine draws the same; signs that the first lacks are the
next one's."""
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

    @property
    def row(self) -> float:
        """Height of a line of text, in centimetres."""
        return 1.65 * self.font / 72 * CENTIMETRES_PER_INCH

    @property
    def legend_columns(self) -> int:
        return 1 if self.width < 10 else 2 if self.width < 20 else 3


SIZES: dict[str, Size] = {
    "column": Size("One column, 8.5 cm", 8.5, 5.6, 7.5),
    "page": Size("Full width, 17.5 cm", 17.5, 8.5, 9.0),
    "slide": Size("Slide, 25.4 cm", 25.4, 13.0, 16.0),
}


def on_paper(
    draw: Callable[[Any], None],
    *,
    format: Format,
    size: Size,
    width: float,
    height: float,
    title: str,
    origin: str,
    font: Font = "sans",
) -> bytes:
    """The content of a file of `width` × `height` centimetres, which `draw` fills; `origin` is
    JSON that travels inside it. The same drawing gives the same bytes."""
    with _matplotlib_is_not_thread_safe:
        import matplotlib
        from matplotlib.figure import Figure as Canvas

        with matplotlib.rc_context(_style(size, font)):
            canvas = Canvas(
                figsize=(width / CENTIMETRES_PER_INCH, height / CENTIMETRES_PER_INCH),
                layout="constrained",
                facecolor="white",
            )
            draw(canvas)
            content = io.BytesIO()
            metadata = _metadata(format, printable(title), origin)
            canvas.savefig(content, format=format, dpi=300, metadata=metadata)
    return content.getvalue()


def dress(axes: Any) -> None:
    """The look of axes: soft ink, a faint grid, two spines."""
    axes.grid(True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(colors=SOFT, which="both", width=0.6)


def add_legend(canvas: Any, handles: list[Any], labels: list[str], size: Size) -> None:
    """Below the axes."""
    canvas.legend(
        handles,
        [plain_text(label) for label in labels],
        loc="outside lower left",
        ncols=size.legend_columns,
        frameon=False,
        handlelength=2.6,
        borderaxespad=0.2,
    )


def legend_height(entries: int, size: Size) -> float:
    """In centimetres."""
    return -(-entries // size.legend_columns) * size.row


def plain_text(text: str) -> str:
    """`text` with nothing in it that matplotlib would read as mathematics."""
    return printable(text).replace("$", r"\$")


def printable(text: str) -> str:
    """`text` without control characters, for which XML has no words."""
    return "".join(character if character.isprintable() else " " for character in text)


def _style(size: Size, font: Font) -> dict[str, Any]:
    return {
        "font.family": FONTS[font],
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


def _metadata(format: Format, title: str, origin: str) -> dict[str, Any]:
    lab = "Meta-optimization lab"
    return {
        "svg": {"Title": title, "Description": origin, "Creator": lab, "Date": None},
        "pdf": {"Title": title, "Subject": origin, "Creator": lab, "CreationDate": None},
        "png": {"Title": title, "Description": origin, "Software": lab},
    }[format]
