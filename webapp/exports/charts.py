"""A drawing of configurations against each other: points, lines and words on two axes.

Where `Figure` shows a metric over a run's course, a `Chart` shows one number of each configuration
beside another. As with figures, the page and every file are drawn from this one specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from webapp.exports.configurations import Configuration
from webapp.exports.pictures.axes import Axis

Part = Literal["line", "ink", "text"]
"""In the colour of a configuration, in that of the page's ink, or words instead of a mark."""
MOST_TABLE_ROWS = 60

SYMBOLS = {"solid": "circle", "dash": "diamond", "dot": "square", "dashdot": "triangle-up"}
"""A configuration's mark, by the dash pattern that its curves have."""


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """Points of one look. Every tuple has one entry a point, or none at all."""

    label: str
    x: tuple[float | None, ...]
    y: tuple[float | None, ...]
    """`None` is a gap."""
    part: Part = "line"
    slot: int = 0
    dash: str = "solid"
    joined: bool = False
    marked: bool = True
    faint: bool = False
    width: float = 2.0
    x_low: tuple[float, ...] = ()
    x_high: tuple[float, ...] = ()
    y_low: tuple[float, ...] = ()
    y_high: tuple[float, ...] = ()
    """The ends of whiskers."""
    band: bool = False
    """The ends of `y` as a band along the line, in place of whiskers."""
    words: tuple[str, ...] = ()
    """What is said of a point, or, of `text`, is written there."""
    in_legend: bool = True


@dataclass(frozen=True, kw_only=True)
class Chart:
    name: str
    title: str
    explanation: str
    x_axis: Axis
    y_axis: Axis
    strokes: tuple[Stroke, ...]
    configurations: tuple[Configuration, ...]
    """Those that are drawn, for the file's origin."""
    note: str
    text_summary: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The twin in text, as people read it."""
    records: tuple[Mapping[str, Any], ...]
    """The numbers that are drawn, with every digit, for files."""

    @property
    def legend(self) -> list[Stroke]:
        """One of each look and label, in the order in which they are drawn."""
        shown = [stroke for stroke in self.strokes if stroke.in_legend]
        return list({(each.label, each.slot, each.dash): each for each in shown}.values())
