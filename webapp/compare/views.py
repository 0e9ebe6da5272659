"""Runs beside each other: the overlay, the summary table, tests, trade-offs and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.compare.comparison_charts import as_json, comparison_charts
from webapp.compare.requests import COMPARED, ComparisonRequest, read_comparison
from webapp.compare.selectors import candidates, cost_choices, overlay_context, summary_of
from webapp.compare.statistics import SummaryTable
from webapp.exports.chart_files import chart_content
from webapp.exports.charts import Chart
from webapp.exports.configurations import Configuration
from webapp.exports.downloads import download
from webapp.exports.metrics import METRICS
from webapp.exports.paper import SIZES
from webapp.exports.requests import (
    MOST_RUNS,
    BadRequest,
    read_font,
    read_run_ids,
    read_width,
    runs_for,
)
from webapp.runs.models import Run
from webapp.runs.selectors import visible_runs

FEWEST, MOST = 2, MOST_RUNS
OFFERED = 40


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """`?runs=1,2,3`; without runs a list to pick from, with too few or too many a clear word."""
    ids: list[int] = []
    try:
        ids = read_run_ids(",".join(request.GET.getlist("runs")), most=None)
        if not ids:
            return _pick(request, ids, "")
        if problem := _problem_with(len(ids)):
            raise BadRequest(problem)
        wanted = read_comparison(request.GET)
        context = overlay_context(runs_for(request.user, ids), wanted)
        for entry in context["legend"]:
            entry["without"] = _without(request, ids, entry["group"])
    except BadRequest as error:
        return _pick(request, ids, str(error))
    return render(
        request,
        "compare/compare.html",
        context
        | {
            **numbers_context(request, context["runs"], wanted),
            "comparing": True,
            "costs": cost_choices(context["runs"]),
            "add_query": _query(request, ids),
        },
    )


@require_GET
def summary(request: HttpRequest) -> HttpResponse:
    """Findings, table and tests alone, for a page that is followed live."""
    try:
        ids = read_run_ids(request.GET.get("runs", ""))
        wanted = read_comparison(request.GET)
        runs = runs_for(request.user, ids)
        found = summary_of(runs, wanted)
    except BadRequest as error:
        return _refused(error)
    context = {
        **numbers_context(request, runs, wanted),
        "summary": found,
        "comparing": "comparing" in request.GET,
    }
    return render(request, "compare/_summary_update.html", context)


@require_GET
def charts(request: HttpRequest) -> HttpResponse:
    """Every chart of the comparison, ready for the page."""
    try:
        ids = read_run_ids(request.GET.get("runs", ""))
        return charts_answer(runs_for(request.user, ids), read_comparison(request.GET))
    except BadRequest as error:
        return JsonResponse({"detail": str(error)}, status=400)


@require_GET
def chart_file(request: HttpRequest, extension: str) -> HttpResponse:
    """One chart of the comparison as a file, drawn from what the page draws."""
    try:
        ids = read_run_ids(request.GET.get("runs", ""))
        if not ids:
            raise BadRequest("runs: nothing given; allowed: the numbers of runs, such as 3,4,7.")
        wanted = read_comparison(request.GET)
        runs = runs_for(request.user, ids)
        return chart_answer(runs, wanted, request.GET.get("chart", ""), request.GET, extension)
    except BadRequest as error:
        return _refused(error)


def charts_answer(runs: list[Run], wanted: ComparisonRequest, only: str = "") -> JsonResponse:
    """The charts of `runs`; one `only` is as it is, with nothing to choose. Raises `BadRequest`."""
    table = summary_of(runs, wanted).table
    drawn = [
        as_json(offered, table) | ({"choices": []} if only else {})
        for offered in comparison_charts(table, wanted)
        if only in ("", offered.chart.name)
    ]
    return JsonResponse({"charts": drawn})


def chart_answer(
    runs: list[Run],
    wanted: ComparisonRequest,
    name: str,
    paper: Mapping[str, str],
    extension: str,
) -> HttpResponse:
    """The chart called `name` as a file; `paper` says `width` and `font`. Raises `BadRequest`."""
    size, font = SIZES[read_width(paper)], read_font(paper)
    found = _chart_called(name, summary_of(runs, wanted).table, wanted)
    content = chart_content(found, extension, size, font)
    return download(content, extension, [name.replace(".", "-"), runs[0].experiment.name])


def _chart_called(name: str, table: SummaryTable, wanted: ComparisonRequest) -> Chart:
    found = {offered.chart.name: offered.chart for offered in comparison_charts(table, wanted)}
    if name not in found:
        allowed = ", ".join(found)
        raise BadRequest(f"chart: {name[:60]!r} is not possible; allowed: {allowed}.")
    return found[name]


def numbers_context(
    request: HttpRequest, runs: list[Run], wanted: ComparisonRequest
) -> dict[str, Any]:
    """What the templates of table and tests need beside the numbers."""
    return {
        "wanted": wanted,
        "pin_query": _query(request, [run.pk for run in runs], without="baseline"),
        "metrics_compared": [METRICS[name] for name in COMPARED],
    }


@require_GET
def to_add(request: HttpRequest) -> HttpResponse:
    """Configurations that can join the comparison, each with the address that it leads to."""
    try:
        ids = read_run_ids(request.GET.get("runs", ""))
    except BadRequest as error:
        return _refused(error)
    found = candidates(request.user, request.GET.get("q", ""), ids)
    offered = [(group, _query(request, [*ids, *group.run_ids], without="q")) for group in found]
    return render(request, "compare/_candidates.html", {"offered": offered})


def _pick(request: HttpRequest, ids: list[int], problem: str) -> HttpResponse:
    context = {
        "offered": visible_runs(request.user)[:OFFERED],
        "picked": ids,
        "problem": problem,
        "fewest": FEWEST,
        "most": MOST,
    }
    return render(request, "compare/pick.html", context, status=400 if problem else 200)


def _refused(error: BadRequest) -> HttpResponse:
    return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")


def _problem_with(count: int) -> str:
    if count < FEWEST:
        return f"A comparison needs at least {FEWEST} runs; one was given. Pick another beside it."
    if count > MOST:
        return f"A comparison has at most {MOST} runs; {count} were given. Take some away."
    return ""


def _without(request: HttpRequest, ids: list[int], group: Configuration) -> str:
    """The query without the runs of `group`, "" where too few would be left."""
    taken = set(group.run_ids)
    left = [pk for pk in ids if pk not in taken]
    pinned = int(request.GET.get("baseline") or 0) in taken
    return _query(request, left, without="baseline" if pinned else "") if len(left) > 1 else ""


def _query(request: HttpRequest, ids: list[int], *, without: str = "") -> str:
    """The address's query with other runs: what else it says stays."""
    query: QueryDict = request.GET.copy()
    for name in ("runs", "comparing", without):
        query.pop(name, None)
    rest = query.urlencode()
    return f"runs={','.join(map(str, ids))}" + (f"&{rest}" if rest else "")
