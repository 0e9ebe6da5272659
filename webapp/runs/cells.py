"""What stands in the cells of the table of runs: of one run, or of runs that differ by seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.exports.bands import mean_and_error
from webapp.exports.numbers import format_value, format_with_error
from webapp.runs.columns import Column, Kind
from webapp.runs.models import Run, Status

NOTHING = "–"
MOST_SHOWN = 3
"""Values of a group that are written out; of more, their number."""


@dataclass(frozen=True)
class Cell:
    kind: Kind
    text: str = ""
    n: int = 0
    """Runs behind a mean; 0 where the cell is none."""
    moment: datetime | None = None
    items: tuple[str, ...] = ()
    counts: tuple[tuple[str, int], ...] = ()
    """How many of a group have which status."""


@dataclass(frozen=True)
class Row:
    run: Run
    """The run, or the first of a group."""
    runs: tuple[Run, ...]
    cells: tuple[Cell, ...]
    is_group: bool = False

    @property
    def id(self) -> str:
        """The row's id in the page; a group keeps it while seeds come and go."""
        if not self.is_group:
            return f"run-{self.run.pk}"
        return f"group-{self.run.experiment_id}-{self.run.configuration[:16]}"

    @property
    def ids(self) -> str:
        return ",".join(str(run.pk) for run in self.runs)

    @property
    def going(self) -> list[Run]:
        """Those that have not ended: the ones to follow."""
        return [run for run in self.runs if not run.has_ended]

    @property
    def is_archived(self) -> bool:
        return all(run.archived_at for run in self.runs)


def row_of(run: Run, columns: Sequence[Column]) -> Row:
    return Row(run, (run,), tuple(_cell(column, run) for column in columns))


def group_row(runs: Sequence[Run], columns: Sequence[Column]) -> Row:
    """One row for `runs` (at least one), which differ by seed only."""
    cells = tuple(_folded(column, runs) for column in columns)
    return Row(runs[0], tuple(runs), cells, is_group=True)


def _cell(column: Column, run: Run) -> Cell:
    value = column.read(run)
    match column.kind:
        case "moment":
            return Cell("moment", moment=value)
        case "tags":
            return Cell("tags", items=tuple(value))
        case "number" if not isinstance(value, str):
            return Cell("number", _number(value, column))
        case _:
            return Cell(column.kind, NOTHING if value is None else str(value))


def _folded(column: Column, runs: Sequence[Run]) -> Cell:
    if column.needs_spec:
        # What differs by seed only has one spec.
        return _cell(column, runs[0])
    if column.kind == "run":
        # Not a name that somebody gave to one of them.
        return Cell("run", runs[0].label)
    return _FOLDS[column.kind](column, [column.read(run) for run in runs])


def _fold_status(column: Column, values: list[str]) -> Cell:
    counted = Counter(values)
    counts = [(status, counted[status]) for status in Status.values if counted[status]]
    return Cell("status", counts=tuple(counts))


def _fold_tags(column: Column, values: list[list[str]]) -> Cell:
    return Cell("tags", items=tuple(sorted({tag for own in values for tag in own})))


def _fold_moments(column: Column, values: list[datetime | None]) -> Cell:
    return Cell("moment", moment=max((value for value in values if value), default=None))


def _fold_numbers(column: Column, values: list[float | None]) -> Cell:
    """Mean ± standard error of what was measured; what only names the runs is listed."""
    known = [value for value in values if value is not None]
    if not known:
        return Cell("number", NOTHING)
    if column.name in ("seed", "number", "attempt"):
        return Cell("number", _listed(format_value(value) for value in known))
    mean, error = mean_and_error(known)
    return Cell("number", format_with_error(mean, error, column.unit), n=len(known))


def _fold_texts(column: Column, values: list[str | None]) -> Cell:
    return Cell("text", _listed(value for value in values if value is not None) or NOTHING)


def _listed(texts: Iterable[str]) -> str:
    different = list(dict.fromkeys(texts))
    return ", ".join(different) if len(different) <= MOST_SHOWN else f"{len(different)} different"


def _number(value: float | None, column: Column) -> str:
    if isinstance(value, int) and not column.unit:
        return f"{value:,}"
    return format_value(value, column.unit)


_FOLDS: dict[Kind, Callable[[Column, list[Any]], Cell]] = {
    "status": _fold_status,
    "tags": _fold_tags,
    "moment": _fold_moments,
    "number": _fold_numbers,
    "text": _fold_texts,
}
