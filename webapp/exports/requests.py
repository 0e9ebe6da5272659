"""What a page or a link asks of a figure, read from the query and refused with a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from django.http import Http404

from webapp.compare.costs import COSTS, Limit
from webapp.exports.figures import X_AXES, Scale, XAxis
from webapp.exports.metrics import METRICS, Metric, find_metric
from webapp.exports.paper import FONTS, SIZES, Font
from webapp.runs.models import Run
from webapp.runs.selectors import visible_runs

if TYPE_CHECKING:
    from webapp.accounts.models import User

MOST_RUNS = 500
"""Runs in one figure: more are not read in time for a page."""
MOST_SMOOTHING = 0.99
_LARGEST_ID = 2**63 - 1


class BadRequest(Exception):
    """A query that asks for something that there is not; the text is for people."""


@dataclass(frozen=True)
class FigureRequest:
    """How the curves are drawn: the toolbar's state."""

    x: XAxis = "step"
    scale: Scale = "auto"
    smoothing: float = 0.0
    hidden: frozenset[str] = frozenset()
    """Keys of configurations that the reader took out of sight."""
    band: bool = True
    limit: Limit | None = None
    """What every run may have spent of a cost."""

    def as_options(self) -> dict[str, Any]:
        return {
            "x": self.x,
            "scale": self.scale,
            "smoothing": self.smoothing,
            "hidden": self.hidden,
            "band": self.band,
            "limit": self.limit,
        }


def read_figure_request(query: Mapping[str, str]) -> FigureRequest:
    """`x`, `scale`, `smoothing`, `hidden`, `band`, `cost` and `at` of the query."""
    try:
        smoothing = float(query.get("smoothing") or 0)
    except ValueError:
        smoothing = -1.0
    if not 0 <= smoothing <= MOST_SMOOTHING:
        raise _refusal("smoothing", query["smoothing"], f"a number from 0 to {MOST_SMOOTHING}")
    return FigureRequest(
        x=_choice(query, "x", tuple(X_AXES)),
        scale=_choice(query, "scale", get_args(Scale)),
        smoothing=smoothing,
        hidden=frozenset(str(pk) for pk in read_run_ids(query.get("hidden", ""), name="hidden")),
        band=_choice(query, "band", ("on", "off")) == "on",
        limit=read_limit(query),
    )


def read_best(query: Mapping[str, str]) -> bool:
    """Whether a table is `of` the best of each run, and not of what is usual for each metric."""
    return _choice(query, "of", ("usual", "best")) == "best"


def read_limit(query: Mapping[str, str]) -> Limit | None:
    """The `cost` of the query, and how much of it (`at`) every run may have spent."""
    if not query.get("cost"):
        return None
    cost = _choice(query, "cost", COSTS)
    try:
        at = float(query.get("at", ""))
    except ValueError:
        at = math.nan
    if not (math.isfinite(at) and at > 0):
        raise _refusal("at", query.get("at", ""), "a positive number")
    return Limit(cost, at)


@dataclass(frozen=True)
class FileRequest:
    """Which figure a file has, how it is drawn, and for which paper."""

    metric: Metric
    drawing: FigureRequest
    width: str
    """Which of `SIZES`."""
    font: Font


def read_file_request(query: Mapping[str, str]) -> FileRequest:
    """The `metric`, the toolbar's state, `width` and `font` of the query."""
    return FileRequest(
        metric=read_metric(query),
        drawing=read_figure_request(query),
        width=read_width(query),
        font=read_font(query),
    )


def read_metric(query: Mapping[str, str]) -> Metric:
    """The `metric` of the query."""
    name = query.get("metric", "")
    metric = find_metric(name)
    if metric is None:
        raise _refusal("metric", name, f"{', '.join(METRICS)} or theta.*")
    return metric


def read_width(query: Mapping[str, str]) -> str:
    """The `width` of the query: which of `SIZES` a file has."""
    return _choice(query, "width", tuple(SIZES))


def read_font(query: Mapping[str, str]) -> Font:
    """The `font` of the query: which of `FONTS` a file is written in."""
    return _choice(query, "font", tuple(FONTS))


def read_run_ids(text: str, *, name: str = "runs", most: int | None = MOST_RUNS) -> list[int]:
    """Run numbers from "1,2,3", each once, in the order given; `most` of `None` is no limit."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and int(part) <= _LARGEST_ID for part in parts):
        raise _refusal(name, text, "the numbers of runs, with commas between, such as 3,4,7")
    ids = list(dict.fromkeys(int(part) for part in parts))
    if most is not None and len(ids) > most:
        raise _refusal(name, f"{len(ids)} runs", f"at most {most} runs in a figure")
    return ids


def runs_for(user: User, ids: list[int]) -> list[Run]:
    """The runs with these numbers, in their order; `Http404` names those that are not there."""
    found = visible_runs(user).filter(pk__in=ids).in_bulk()
    missing = [str(pk) for pk in ids if pk not in found]
    if missing:
        raise Http404(f"There is no run {', '.join(missing)}.")
    return [found[pk] for pk in ids]


def _choice(query: Mapping[str, str], name: str, allowed: tuple[Any, ...]) -> Any:
    given = query.get(name) or allowed[0]
    if given not in allowed:
        raise _refusal(name, given, ", ".join(allowed))
    return given


def _refusal(name: str, given: str, allowed: str) -> BadRequest:
    return BadRequest(f"{name}: {given[:60]!r} is not possible; allowed: {allowed}.")
