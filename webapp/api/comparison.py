"""Runs beside each other: the summary table, what differs, and the charts as files."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from webapp.accounts.models import Scope
from webapp.api.authentication import needs
from webapp.api.describing import answers, file_of
from webapp.api.problems import FOUND, Problem
from webapp.api.refusals import refused_query
from webapp.compare.requests import ComparisonRequest
from webapp.compare.selectors import difference_of, summary_of
from webapp.compare.statistics import Cell
from webapp.exports import views
from webapp.exports.configurations import configurations
from webapp.exports.requests import MOST_RUNS, BadRequest, read_run_ids, runs_for

router = Router(tags=["comparison"], auth=needs(Scope.READ))
RunIds = Annotated[
    str,
    Query(
        description=f"Ids of runs, with commas between; at most {MOST_RUNS}, and none is left out.",
        examples=["412,413,414"],
    ),
]
Of = Annotated[
    Literal["usual", "best"],
    Query(description="Of a run's points, the best where the metric has a direction."),
]
FILES = {
    "image/png": "\x89PNG",
    "image/svg+xml": "<svg",
    "application/pdf": "%PDF",
    "text/csv": "# spec: …",
}


class ColumnOut(Schema):
    """A metric; `words` say how the series of a run became one number."""

    name: str
    title: str
    unit: str
    better: Literal["lower", "higher", ""]
    words: str


class CellOut(Schema):
    """Mean over the seeds and its standard error. Null where there is none, or it is not finite."""

    value: float | None
    error: float | None
    n: int
    best: bool


class RowOut(Schema):
    """A configuration: runs that differ by their seed only. `cells` are in the columns' order."""

    label: str
    runs: list[int]
    seeds: list[int]
    cells: list[CellOut]


class DifferenceOut(Schema):
    """A field of the spec, and its value in each of the rows."""

    path: str
    values: list[str]


class FindingOut(Schema):
    label: str
    sentence: str


class ComparisonOut(Schema):
    columns: list[ColumnOut]
    rows: list[RowOut]
    differences: list[DifferenceOut]
    findings: list[FindingOut]


@router.get(
    "/compare",
    response={200: ComparisonOut, 422: Problem, **FOUND},
    openapi_extra=answers(200, "comparison"),
)
def compare(request: HttpRequest, runs: RunIds, of: Of = "usual") -> dict[str, Any]:
    """The table, the differences and the findings of the page that compares these runs."""
    ids = read_run_ids(runs)
    if not ids:
        raise BadRequest("runs: nothing given; allowed: the ids of runs, such as 3,4,7.")
    found = runs_for(request.user, ids)
    summary = summary_of(found, ComparisonRequest(best=of == "best"))
    return {
        "columns": [
            {
                "name": column.metric.name,
                "title": column.metric.title,
                "unit": column.metric.unit,
                "better": column.metric.better,
                "words": column.words,
            }
            for column in summary.table.columns
        ],
        "rows": [
            {
                "label": row.configuration.full_label,
                "runs": row.configuration.run_ids,
                "seeds": row.configuration.seeds,
                "cells": [_cell(cell) for cell in row.cells],
            }
            for row in summary.table.rows
        ],
        "differences": [
            {"path": item.path, "values": list(item.values)}
            for item in difference_of(configurations(found))
        ],
        "findings": [
            {"label": item.row.configuration.full_label, "sentence": item.sentence}
            for item in summary.findings
        ],
    }


@router.get(
    "/export/figure.{extension}",
    response={422: Problem, **FOUND},
    openapi_extra=file_of(FILES),
)
def export_figure(
    request: HttpRequest,
    extension: Literal["png", "svg", "pdf", "csv"],
    runs: RunIds,
    metric: Annotated[str, Query(description="Name of the series.", examples=["meta_loss"])],
    x: Annotated[str, Query(description="step, seconds or inner_steps.")] = "step",
    scale: Annotated[str, Query(description="auto, log or linear.")] = "auto",
    smoothing: Annotated[float, Query(description="Weight of the past, from 0 to 0.99.")] = 0.0,
    width: Annotated[str, Query(description="column, page or slide.")] = "column",
) -> HttpResponse:
    """A chart of these runs as the page draws it, with spec, seeds and code version inside."""
    return _file(views.figure_file(request, extension))


@router.get(
    "/export/summary.csv",
    response={422: Problem, **FOUND},
    openapi_extra=file_of({"text/csv": "configuration,meta_loss"}),
)
def export_summary(request: HttpRequest, runs: RunIds, of: Of = "usual") -> HttpResponse:
    """The table of a comparison as CSV."""
    return _file(views.summary_file(request, "csv"))


def _file(answer: HttpResponse) -> HttpResponse:
    """What the page's own download gives; its sentence, where it refuses, as a problem."""
    return refused_query(answer.content.decode()) if answer.status_code == 400 else answer


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "value": _finite(cell.value),
        "error": _finite(cell.error),
        "n": cell.n,
        "best": cell.best,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
