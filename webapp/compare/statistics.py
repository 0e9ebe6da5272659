"""One row a configuration: each metric condensed to mean ± standard error over seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from webapp.compare.costs import Limit, cut
from webapp.exports.bands import Series, mean_and_error
from webapp.exports.configurations import Configuration, RunLike, configurations
from webapp.exports.figures import SeriesOfRuns
from webapp.exports.metrics import (
    BEST_WORDS,
    METRICS,
    SUMMARY_WORDS,
    TABLE_METRICS,
    Metric,
    with_tests,
)
from webapp.exports.numbers import format_with_error

if TYPE_CHECKING:
    from webapp.compare.baseline import Change


@dataclass(frozen=True)
class Cell:
    """One figure of one configuration. `value` is `None` where it was not measured."""

    metric: Metric
    value: float | None
    error: float | None
    """Standard error over seeds; `None` for a single seed."""
    n: int
    """Seeds behind it."""
    best: bool = False
    of_seeds: Mapping[int, float] = field(default_factory=dict)
    """What each seed's run gives: `value` is their mean."""
    change: Change | None = None
    """Against the pinned baseline, where one is."""

    @property
    def is_finite(self) -> bool:
        return self.value is not None and math.isfinite(self.value)

    @property
    def text(self) -> str:
        if self.value is None:
            return "–"
        return format_with_error(self.value, self.error, self.metric.unit)


@dataclass(frozen=True)
class Row:
    configuration: Configuration
    cells: tuple[Cell, ...]
    is_baseline: bool = False

    def cell(self, name: str) -> Cell:
        return next(cell for cell in self.cells if cell.metric.name == name)

    def find(self, name: str) -> Cell | None:
        """The cell of a metric, which the table may not have."""
        return next((cell for cell in self.cells if cell.metric.name == name), None)

    def value(self, name: str) -> float | None:
        return self.cell(name).value


@dataclass(frozen=True)
class Column:
    metric: Metric
    words: str
    """How a run's series became one number."""


@dataclass(frozen=True)
class SummaryTable:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    limit: Limit | None = None
    """What every run may have spent of a cost; `None` where all points count."""
    best: bool = False
    """Whether a metric with a direction is the best of each run's points."""

    @property
    def counted(self) -> list[str]:
        """What does not go without saying of its numbers: stands under whatever they are in."""
        found = [self.limit.words] if self.limit else []
        return [*found, "the best of each run"] if self.best else found

    @property
    def has_baseline(self) -> bool:
        return any(row.is_baseline for row in self.rows)

    @property
    def has_seeds(self) -> bool:
        return any(cell.n > 1 for row in self.rows for cell in row.cells)


def summarise(
    runs: Iterable[RunLike],
    series: SeriesOfRuns,
    limit: Limit | None = None,
    *,
    best: bool = False,
) -> SummaryTable:
    """The summary table of `runs`, whose points are in `series` (run id → name → arrays), of which
    those past `limit` do not count.

    With `best`, a metric that has a direction is condensed to the best of a run's points.
    """
    if limit:
        series = cut(series, limit)
    measured = {name for own in series.values() for name in own}
    metrics = [METRICS[name] for name in with_tests(TABLE_METRICS, measured)]
    groups = configurations(runs)
    table = [[_cell(group, metric, series, best) for metric in metrics] for group in groups]
    columns = [_with_best(list(column)) for column in zip(*table, strict=True)]
    return SummaryTable(
        columns=tuple(Column(metric, _words(metric, best)) for metric in metrics),
        rows=tuple(
            Row(configuration=group, cells=tuple(cells))
            for group, cells in zip(groups, zip(*columns, strict=True), strict=True)
        ),
        limit=limit,
        best=best,
    )


def condense(series: Series, metric: Metric, *, best: bool = False) -> float:
    """One number for the series (at least one point) of one run; nan where it is to be the best
    and no point is finite."""
    _, values = series
    if best and metric.better:
        finite = values[np.isfinite(values)]
        if not len(finite):
            return math.nan
        return float(finite.min() if metric.better == "lower" else finite.max())
    if metric.summary == "last":
        return float(values[-1])
    condensed = {"mean": np.mean, "median": np.median, "max": np.max}[metric.summary]
    with np.errstate(all="ignore"):
        return float(condensed(values))


def _words(metric: Metric, best: bool) -> str:
    return BEST_WORDS if best and metric.better else SUMMARY_WORDS[metric.summary]


def _cell(group: Configuration, metric: Metric, series: SeriesOfRuns, best: bool) -> Cell:
    of_seeds = {
        run.seed: condense(series[run.pk][metric.name], metric, best=best)
        for run in group.runs
        if metric.name in series.get(run.pk, {})
    }
    if not of_seeds:
        return Cell(metric=metric, value=None, error=None, n=0)
    value, error = mean_and_error(list(of_seeds.values()))
    return Cell(metric=metric, value=value, error=error, n=len(of_seeds), of_seeds=of_seeds)


def _with_best(cells: list[Cell]) -> list[Cell]:
    """`cells` of one metric, with the best one marked, and any that reads the same as it."""
    metric = cells[0].metric
    known = [c.value for c in cells if c.value is not None and math.isfinite(c.value)]
    if len(cells) < 2 or len(known) < 2 or not metric.better:
        return cells
    best = min(known) if metric.better == "lower" else max(known)
    shown = Cell(metric=metric, value=best, error=None, n=1).text
    if len({cell.text for cell in cells}) == 1:
        return cells
    return [
        replace(cell, best=Cell(metric=metric, value=cell.value, error=None, n=1).text == shown)
        for cell in cells
    ]
