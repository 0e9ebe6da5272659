"""What the view of a drawing can say and do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from webapp.exports.paper import Size

MOST_TABLE_ROWS = 12

Table = tuple[list[str], list[list[str]]]
"""Header and rows."""


class View(ABC):
    """One drawing for the page, for paper, and in words."""

    def __init__(self, drawing: Any) -> None:
        self.drawing = drawing

    @abstractmethod
    def page(self) -> dict[str, Any]:
        """Exactly one of `plotly`, `images` or `svg`, and what belongs to it."""

    @abstractmethod
    def words(self) -> str:
        """What a reader who does not see the drawing needs."""

    @abstractmethod
    def table(self) -> Table:
        """The drawing's twin in text."""

    def extent(self, size: Size) -> tuple[float, float]:
        """Width and height on paper, in centimetres."""
        return size.width, size.height

    @abstractmethod
    def draw(self, canvas: Any, size: Size) -> None:
        """Fill a matplotlib figure."""


def picked(count: int, most: int = MOST_TABLE_ROWS) -> list[int]:
    """At most `most` indices of `count` things, the first and the last among them."""
    if not count:
        return []
    return np.unique(np.linspace(0, count - 1, most).astype(int)).tolist()
