"""What a link shows of a comparison beside its curves: table, tests and charts of trade-offs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render

from webapp.compare.selectors import summary_of
from webapp.compare.views import chart_answer, charts_answer, numbers_context
from webapp.exports.requests import BadRequest, read_best, read_limit
from webapp.exports.views import refused, summary_answer
from webapp.runs.models import Run
from webapp.sharing.models import Kind, ShareLink
from webapp.sharing.opening import gone, of_a_link
from webapp.sharing.selectors import comparison_of, question_of


@of_a_link
def summary(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponseBase:
    """Findings, table and tests alone, for a page that is open."""
    if link.kind != Kind.COMPARISON:
        return gone(request)
    try:
        wanted = comparison_of(question_of(request, link), runs)
    except BadRequest as error:
        return refused(error)
    context = {**numbers_context(request, runs, wanted), "summary": summary_of(runs, wanted)}
    return render(request, "compare/_summary_update.html", context | {"comparing": True})


@of_a_link
def charts(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponseBase:
    """All charts of a comparison, or the one that is shared, of which nothing can be chosen."""
    if link.kind != Kind.COMPARISON and not link.chart:
        return gone(request)
    try:
        wanted = comparison_of(question_of(request, link), runs)
    except BadRequest as error:
        return JsonResponse({"detail": str(error)}, status=400)
    return charts_answer(runs, wanted, only=link.chart)


@of_a_link
def chart_file(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run], extension: str
) -> HttpResponseBase:
    if link.kind != Kind.COMPARISON and not link.chart:
        return gone(request)
    try:
        wanted = comparison_of(question_of(request, link), runs)
        name = link.chart or request.GET.get("chart", "")
        return chart_answer(runs, wanted, name, request.GET, extension)
    except BadRequest as error:
        return refused(error)


@of_a_link
def summary_file(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run], extension: str
) -> HttpResponseBase:
    if link.kind == Kind.FIGURE:
        return gone(request)
    try:
        question = question_of(request, link)
        limit, best = read_limit(question), read_best(question)
    except BadRequest as error:
        return refused(error)
    return summary_answer(runs, extension, limit, best=best)
