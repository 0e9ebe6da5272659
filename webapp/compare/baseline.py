"""Every configuration against a pinned one: how each metric changed, and whether seeds agree."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from webapp.compare.paired import FEWEST_PAIRS, Paired, holm, paired_t
from webapp.compare.statistics import Cell, Row, SummaryTable
from webapp.exports.metrics import Metric
from webapp.exports.numbers import format_share, format_value

LEVEL = 0.05
"""Corrected p below which a difference is called one."""


@dataclass(frozen=True)
class Change:
    """One metric of one configuration against the baseline's."""

    row: Row
    metric: Metric
    n: int
    """Seeds that both have."""
    share: float | None
    """(other − baseline) / |baseline| of the means; `None` where that says nothing."""
    paired: Paired | None
    corrected: float | None
    """p after Holm's correction over the configurations tested for this metric."""
    reason: str
    """Why there is no test, "" where there is one."""

    @property
    def is_one(self) -> bool:
        """Whether the seeds agree on a difference, after the correction."""
        return self.corrected is not None and self.corrected < LEVEL

    @property
    def direction(self) -> str:
        """ "better" or "worse" where the seeds agree on it, else ""."""
        if not self.is_one or not self.metric.better or self.paired is None:
            return ""
        falls = self.paired.mean < 0
        return "better" if falls == (self.metric.better == "lower") else "worse"

    @property
    def share_text(self) -> str:
        """ "−12 %", "+3.1 ×", "±0"; "" where there is nothing to say."""
        if self.share is None:
            return ""
        if self.share == 0:
            return "±0"
        size = abs(self.share)
        text = "0.01 %" if size < 1e-4 else f"{100 * size:.2g} %" if size < 0.1 else ""
        sign = ("<" if size < 1e-4 else "") + ("+" if self.share > 0 else "−")
        return sign + (text or format_share(size))

    @property
    def p_text(self) -> str:
        return "" if self.corrected is None else f"p {format_p(self.corrected)}"

    @property
    def difference_text(self) -> str:
        """The mean difference, with its 95 % confidence interval."""
        if self.paired is None:
            return "–"
        unit = self.metric.unit
        mean, low, high = (
            _signed(value, unit) for value in (self.paired.mean, self.paired.low, self.paired.high)
        )
        return f"{mean} ({low} to {high})"

    @property
    def effect_text(self) -> str:
        """Cohen's d_z, with its 95 % confidence interval."""
        if self.paired is None:
            return "–"
        found = self.paired
        mean, low, high = (
            _signed(value, "") for value in (found.effect, found.effect_low, found.effect_high)
        )
        return f"{mean} ({low} to {high})"

    @property
    def raw_p_text(self) -> str:
        return "–" if self.paired is None else format_p(self.paired.p)

    @property
    def corrected_text(self) -> str:
        return "–" if self.corrected is None else format_p(self.corrected)

    @property
    def verdict(self) -> str:
        if self.reason:
            return self.reason
        if not self.is_one:
            return "no difference that the seeds agree on"
        return self.direction or "different"


@dataclass(frozen=True)
class Against:
    """All changes against one configuration, by configuration and metric."""

    baseline: Row
    changes: dict[tuple[str, str], Change]

    def of(self, row: Row, metric: Metric) -> Change | None:
        return self.changes.get((row.configuration.key, metric.name))

    def for_metric(self, metric: Metric) -> list[Change]:
        return [change for change in self.changes.values() if change.metric.name == metric.name]


def against(table: SummaryTable, baseline: Row) -> Against:
    """Every other row of `table` against `baseline`, metric by metric."""
    changes: dict[tuple[str, str], Change] = {}
    for column in table.columns:
        metric = column.metric
        base = baseline.cell(metric.name)
        found = [_change(row, row.cell(metric.name), base) for row in table.rows]
        for change in _corrected(c for c in found if c.row is not baseline):
            changes[change.row.configuration.key, metric.name] = change
    return Against(baseline, changes)


def with_changes(table: SummaryTable, found: Against) -> SummaryTable:
    """`table` whose cells know their change, and whose baseline knows that it is one."""
    rows = [
        replace(
            row,
            cells=tuple(replace(c, change=found.of(row, c.metric)) for c in row.cells),
            is_baseline=row is found.baseline,
        )
        for row in table.rows
    ]
    return replace(table, rows=tuple(rows))


def format_p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _change(row: Row, cell: Cell, base: Cell) -> Change:
    common = [seed for seed in cell.of_seeds if seed in base.of_seeds]
    differences = [cell.of_seeds[seed] - base.of_seeds[seed] for seed in common]
    paired, reason = None, ""
    diverged = [seed for seed, d in zip(common, differences, strict=True) if not math.isfinite(d)]
    if cell.value is None or base.value is None:
        reason = "not measured"
    elif not common:
        reason = "no seed in common: no test"
    elif diverged:
        reason = f"not finite with seed {diverged[0]}: no test"
    elif len(common) < FEWEST_PAIRS:
        reason = f"N = {len(common)}: no test"
    else:
        try:
            paired = paired_t(differences)
        except ValueError:
            every = "equal" if not any(differences) else "differs equally"
            reason = f"{every} in every seed: no test"
    return Change(row, cell.metric, len(common), _share(cell, base), paired, None, reason)


def _share(cell: Cell, base: Cell) -> float | None:
    if cell.value is None or base.value is None:
        return None
    if not (math.isfinite(cell.value) and math.isfinite(base.value)) or base.value == 0:
        return None
    return (cell.value - base.value) / abs(base.value)


def _corrected(changes: Iterable[Change]) -> list[Change]:
    """`changes` of one metric with Holm's correction over those that were tested."""
    changes = list(changes)
    tested = [change for change in changes if change.paired is not None]
    corrected = dict(
        zip(map(id, tested), holm([c.paired.p for c in tested if c.paired]), strict=True)
    )
    return [replace(change, corrected=corrected.get(id(change))) for change in changes]


def _signed(value: float, unit) -> str:
    text = format_value(value, unit)
    return f"+{text}" if value > 0 else text.replace("-", "−")
