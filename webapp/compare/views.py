"""Runs beside each other: the overlay, the summary table and what differs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.compare.selectors import overlay_context, summary_of
from webapp.exports.requests import BadRequest, read_run_ids, runs_for
from webapp.runs.selectors import visible_runs

FEWEST, MOST = 2, 12
OFFERED = 40


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """`?runs=1,2,3`; without runs a list to pick from, with too few or too many a clear word."""
    try:
        ids = read_run_ids(",".join(request.GET.getlist("runs")))
        problem = _problem_with(len(ids))
    except BadRequest as error:
        ids, problem = [], str(error)
    if problem or not ids:
        context = {
            "offered": visible_runs(request.user)[:OFFERED],
            "picked": ids,
            "problem": problem,
            "fewest": FEWEST,
            "most": MOST,
        }
        return render(request, "compare/pick.html", context, status=400 if problem else 200)
    return render(request, "compare/compare.html", overlay_context(runs_for(request.user, ids)))


@require_GET
def summary(request: HttpRequest) -> HttpResponse:
    """Findings and table alone, for a page that is followed live."""
    try:
        runs = runs_for(request.user, read_run_ids(request.GET.get("runs", "")))
    except BadRequest as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    return render(request, "compare/_summary_update.html", {"summary": summary_of(runs)})


def _problem_with(count: int) -> str:
    if 0 < count < FEWEST:
        return f"A comparison needs at least {FEWEST} runs; one was given. Pick another beside it."
    if count > MOST:
        return f"A comparison has at most {MOST} runs; {count} were given. Take some away."
    return ""
