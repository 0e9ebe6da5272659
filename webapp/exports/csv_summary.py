"""A comparison's summary table as CSV: one row a configuration and metric."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.compare.statistics import SummaryTable
from webapp.exports.csv_text import csv_text, safe_cell
from webapp.exports.provenance import provenance_of_summary

COLUMNS = (
    "runs",
    "experiment",
    "label",
    "estimator",
    "seeds",
    "metric",
    "unit",
    "condensed",
    "mean",
    "standard_error",
    "n",
    "code_version",
)


def csv_summary(table: SummaryTable) -> str:
    """`table` in long format; a figure that was not measured has no row."""
    return csv_text(COLUMNS, _rows(table), origin=provenance_of_summary(table).as_json())


def _rows(table: SummaryTable) -> Iterator[list[str]]:
    for row in table.rows:
        runs = row.configuration.runs
        experiment = runs[0].experiment
        for column, cell in zip(table.columns, row.cells, strict=True):
            if cell.value is None:
                continue
            yield [
                " ".join(str(run.pk) for run in runs),
                safe_cell(experiment.name),
                safe_cell(row.configuration.label),
                row.configuration.estimator,
                " ".join(str(run.seed) for run in runs),
                cell.metric.name,
                cell.metric.unit,
                column.words,
                repr(cell.value),
                "" if cell.error is None else repr(cell.error),
                str(cell.n),
                safe_cell(experiment.code_version),
            ]
