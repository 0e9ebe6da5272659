"""Figures for the page as JSON, and as files to take along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from webapp.compare.costs import Limit
from webapp.compare.statistics import summarise
from webapp.exports.csv_figure import csv_figure
from webapp.exports.csv_summary import csv_summary
from webapp.exports.downloads import download
from webapp.exports.envelopes import MOST_IN_FULL
from webapp.exports.figures import Figure, build_figure
from webapp.exports.json_figure import json_figure, json_summary
from webapp.exports.latex import latex_figure, latex_summary
from webapp.exports.metrics import (
    META_PARAMETER_PREFIX,
    METRICS,
    PAGE_METRICS,
    find_metric,
    interval_of,
    with_tests,
)
from webapp.exports.paper import SIZES, Font, Size
from webapp.exports.plotly_figure import plotly_figure
from webapp.exports.print_figure import print_figure
from webapp.exports.requests import (
    BadRequest,
    FigureRequest,
    FileRequest,
    read_best,
    read_figure_request,
    read_file_request,
    read_limit,
    read_run_ids,
    runs_for,
)
from webapp.runs.models import Run
from webapp.runs.selectors import series

MOST_META_PARAMETERS = 8
_LEFT_OUT = {
    "bias", "variance", "oracle_norm", "smoothed_norm", "smoothed_standard_error",
    "inner_steps", "gradient_evaluations", "seconds", "probe_seconds",
}  # fmt: skip
"""Known by name and there to export, but not on every page: another chart says it better."""


@require_GET
def figures(request: HttpRequest) -> JsonResponse:
    """All charts of some runs, ready for `Plotly.react`, with the sequence that each run is at."""
    try:
        wanted = read_figure_request(request.GET)
        ids = read_run_ids(request.GET.get("runs", ""))
    except BadRequest as error:
        return JsonResponse({"detail": str(error)}, status=400)
    return figures_answer(runs_for(request.user, ids), wanted)


@require_GET
def figure_file(request: HttpRequest, extension: str) -> HttpResponse:
    """One chart as a file, drawn from the same figure as on the page."""
    try:
        ids = read_run_ids(request.GET.get("runs", ""))
        if not ids:
            raise BadRequest("runs: nothing given; allowed: the numbers of runs, such as 3,4,7.")
        wanted = read_file_request(request.GET)
    except BadRequest as error:
        return refused(error)
    return figure_answer(runs_for(request.user, ids), wanted, extension)


@require_GET
def summary_file(request: HttpRequest, extension: str) -> HttpResponse:
    """The table of a comparison as a file."""
    try:
        ids = read_run_ids(request.GET.get("runs", ""))
        limit, best = read_limit(request.GET), read_best(request.GET)
    except BadRequest as error:
        return refused(error)
    return summary_answer(runs_for(request.user, ids), extension, limit, best=best)


def figures_answer(
    runs: Sequence[Run], wanted: FigureRequest, names: Iterable[str] | None = None
) -> JsonResponse:
    """The charts of `runs`: those called `names`, or all that have a place on a page.

    Of so many runs that they are envelopes, only the charts that every page has: all series of all
    of them would not be read in time.
    """
    if names is None and len(runs) > MOST_IN_FULL:
        names = with_tests(PAGE_METRICS, {name for run in runs for name in run.summary})
    read = None if names is None else [each for name in names for each in _needed(name, wanted)]
    points = series([run.pk for run in runs], names=read)
    drawn = [
        build_figure(runs, points, find_metric(name), **wanted.as_options())
        for name in (_names(points) if names is None else names)
    ]
    return JsonResponse(
        {
            "figures": [_as_json(figure) for figure in drawn],
            "sequences": {str(run.pk): run.sequence for run in runs},
        }
    )


def figure_answer(runs: Sequence[Run], wanted: FileRequest, extension: str) -> HttpResponse:
    """One chart of `runs` (at least one) as a file."""
    metric, drawing = wanted.metric, wanted.drawing
    points = series([run.pk for run in runs], names=_needed(metric.name, drawing))
    figure = build_figure(runs, points, metric, **drawing.as_options())
    content = figure_content(figure, extension, SIZES[wanted.width], wanted.font)
    return download(content, extension, [metric.name, runs[0].experiment.name])


def _needed(name: str, drawing: FigureRequest) -> list[str]:
    """The series that the figure of `name` is drawn from."""
    cost = [drawing.limit.cost] if drawing.limit else []
    return [name, *interval_of(name), drawing.x, *cost]


def summary_answer(
    runs: Sequence[Run], extension: str, limit: Limit | None = None, *, best: bool = False
) -> HttpResponse:
    """The table of `runs` as a file; points past `limit` do not count, and with `best` the best of
    each run does."""
    write = {"csv": csv_summary, "json": json_summary, "tex": latex_summary}[extension]
    content = write(summarise(runs, series([run.pk for run in runs]), limit, best=best))
    return download(content, extension, ["summary", runs[0].experiment.name if runs else ""])


def figure_content(figure: Figure, extension: str, size: Size, font: Font) -> bytes | str:
    """`figure` as a file; `extension` is one of svg, pdf, png, csv, json and tex."""
    write = {"csv": csv_figure, "json": json_figure, "tex": latex_figure}.get(extension)
    return write(figure) if write else print_figure(figure, extension, size, font)


def refused(error: BadRequest) -> HttpResponse:
    return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")


def _names(points: dict[int, dict[str, Any]]) -> list[str]:
    """The series that are drawn: those with a fixed place, then others that these runs have, θ
    first."""
    measured = sorted({name for own in points.values() for name in own})
    learned = [name for name in measured if name.startswith(META_PARAMETER_PREFIX)]
    placed = with_tests(PAGE_METRICS, measured)
    known = [name for name in METRICS if name in measured]
    diagnostics = [name for name in known if name not in placed and name not in _LEFT_OUT]
    return [*placed, *learned[:MOST_META_PARAMETERS], *diagnostics]


def _as_json(figure: Figure) -> dict[str, Any]:
    header, rows = figure.table()
    return {
        "metric": figure.metric.name,
        "title": figure.title,
        "explanation": figure.metric.explanation,
        "note": figure.note,
        "empty": figure.empty,
        "latest": figure.latest,
        "plotly": plotly_figure(figure),
        "text_summary": figure.text_summary(),
        "table": {"header": header, "rows": rows},
    }
