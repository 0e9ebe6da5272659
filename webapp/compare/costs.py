"""Runs at equal cost: every curve is cut where its run had spent as much as the others."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from webapp.exports.bands import Series
from webapp.exports.metrics import METRICS, Unit
from webapp.exports.numbers import format_value

if TYPE_CHECKING:
    from webapp.exports.figures import SeriesOfRuns
    from webapp.runs.models import Run

COSTS = ("seconds", "inner_steps", "gradient_evaluations", "peak_bytes")
"""Series that say what a run has spent: sums so far, and the largest peak of memory so far."""
WORDS = {
    "seconds": "Time",
    "inner_steps": "Inner steps",
    "gradient_evaluations": "Gradient evaluations",
    "peak_bytes": "Memory",
}


@dataclass(frozen=True)
class Limit:
    """What every run may have spent."""

    cost: str
    """One of `COSTS`."""
    at: float

    @property
    def unit(self) -> Unit:
        return METRICS[self.cost].unit

    @property
    def words(self) -> str:
        """ "at most 12 s": what stands under whatever is cut."""
        return f"at most {format_cost(self.at, self.cost)}"


@dataclass(frozen=True)
class Reach:
    """What a slider over a cost goes through."""

    low: float
    """One outer step of the run whose steps cost least."""
    high: float
    """All of the run that cost most."""
    first_end: float
    """What the cheapest run cost in all: up to there every run has points."""
    unknown: int
    """Runs that have not measured it."""


def format_cost(value: float, cost: str) -> str:
    unit = METRICS[cost].unit
    if unit:
        return format_value(value, unit)
    return f"{value:,.0f} {WORDS[cost].lower()}"


def cut(series: SeriesOfRuns, limit: Limit) -> dict[int, dict[str, Series]]:
    """The points of each run up to which it had spent at most `limit`.

    A run that has not measured the cost cannot be placed, and has no points.
    """
    return {
        pk: _until(own, _first_step_past(own[limit.cost], limit.at))
        for pk, own in series.items()
        if limit.cost in own and not np.isnan(own[limit.cost][1]).all()
    }


def _first_step_past(spent: Series, limit: float) -> int | None:
    """The outer step at which more than `limit` was spent first; `None` if at none."""
    steps, values = spent
    past = np.flatnonzero(np.fmax.accumulate(values) > limit)
    return int(steps[past[0]]) if len(past) else None


def _until(own: dict[str, Series], end: int | None) -> dict[str, Series]:
    if end is None:
        return dict(own)
    return {
        name: (steps[:count], values[:count])
        for name, (steps, values) in own.items()
        if (count := int(np.searchsorted(steps, end)))
    }


def reach_of(runs: Iterable[Run], cost: str) -> Reach | None:
    """What `runs` spent of `cost`, from their last points; `None` where no run has measured it."""
    totals, each, unknown = [], [], 0
    for run in runs:
        total = run.figures.get(cost)
        if total is None or not math.isfinite(total) or total <= 0:
            unknown += 1
            continue
        totals.append(total)
        each.append(total if cost == "peak_bytes" else total / max(run.step, 1))
    if not totals:
        return None
    return Reach(low=min(each), high=max(totals), first_end=min(totals), unknown=unknown)
