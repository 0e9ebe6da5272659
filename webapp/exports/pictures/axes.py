"""Axes that a drawing's page and its paper share: titles, scales and where they are labelled."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webapp.exports.metrics import Unit
from webapp.exports.paper import SOFT, plain_text
from webapp.exports.ticks import log_ticks, tick_label


@dataclass(frozen=True)
class Axis:
    """`ends` of `None` leave them to the points."""

    title: str
    log: bool
    ticks: tuple[float, ...] = ()
    ends: tuple[float, float] | None = None
    labels: tuple[str, ...] = ()
    """What is written at the ticks, where it is not the numbers alone."""

    def place(self, value: float | None) -> float | None:
        """`value` where the axis has a place for it."""
        if value is None or (self.log and value <= 0):
            return None
        return value

    @property
    def tick_texts(self) -> list[str]:
        return list(self.labels) or [_label(tick) for tick in self.ticks]

    def plotly(self) -> dict[str, Any]:
        axis: dict[str, Any] = {
            "title": {"text": plotly_text(self.title), "standoff": 8},
            "type": "log" if self.log else "linear",
            "zeroline": False,
            "nticks": 6,
            "exponentformat": "power",
        }
        if self.log or self.labels:
            axis |= {"tickvals": list(self.ticks), "ticktext": self.tick_texts}
        if self.ends:
            axis["range"] = [math.log10(end) for end in self.ends] if self.log else list(self.ends)
        return axis


def axis(title: str, log: bool, values: Iterable[float | None], *, exact: bool = False) -> Axis:
    """The axis of `values`; `exact` makes it end where they end."""
    placed = [v for v in values if v is not None and math.isfinite(v) and (v > 0 or not log)]
    low, high = min(placed, default=1.0), max(placed, default=1.0)
    return Axis(
        title=title,
        log=log,
        ticks=tuple(log_ticks(low, high)) if log else (),
        ends=(low, high) if exact and low < high else None,
    )


def on_matplotlib(axes: Any, x: Axis, y: Axis) -> None:
    """Scales, labels and titles of matplotlib's `axes`."""
    axes.set_xlabel(plain_text(x.title), color=SOFT)
    axes.set_ylabel(plain_text(y.title), color=SOFT)
    for side, own in (("x", x), ("y", y)):
        if own.log:
            getattr(axes, f"set_{side}scale")("log", nonpositive="clip")
        if own.ends:
            getattr(axes, f"set_{side}lim")(own.ends)
        if own.log or own.labels:
            shown = getattr(axes, f"get_{side}lim")()
            ticks = getattr(axes, f"set_{side}ticks")
            ticks(own.ticks, [plain_text(text) for text in own.tick_texts])
            ticks([], minor=True)
            getattr(axes, f"set_{side}lim")(shown)


def plotly_text(text: str) -> str:
    """`text` as Plotly shows it, which reads some of HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _label(tick: float) -> str:
    return tick_label(tick, "")


def log_axis(title: str, low: float, high: float, unit: Unit) -> dict[str, Any]:
    """A logarithmic axis for Plotly, labelled for about `low` … `high` in `unit`."""
    ticks = log_ticks(low, high)
    return {
        "title": {"text": title, "standoff": 8},
        "type": "log",
        "tickvals": ticks,
        "ticktext": [tick_label(tick, unit) if unit else f"{tick:,.4g}" for tick in ticks],
        "zeroline": False,
    }
