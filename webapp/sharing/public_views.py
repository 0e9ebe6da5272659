"""What a link shows, to whoever has it: read-only, and nothing but what is shared."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_exempt

import engine.spec
from webapp.compare.selectors import cost_choices, difference_of, summary_of
from webapp.compare.views import numbers_context
from webapp.exports.configurations import configurations
from webapp.exports.metrics import PAGE_METRICS, find_metric, with_tests
from webapp.exports.requests import BadRequest, read_figure_request, read_file_request
from webapp.exports.views import figure_answer, figures_answer, refused
from webapp.runs.models import Run
from webapp.security import CONTENT_SECURITY_POLICY
from webapp.sharing.models import Kind, ShareLink
from webapp.sharing.opening import gone, of_a_link
from webapp.sharing.selectors import comparison_of, question_of

EMBEDDABLE = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")


@of_a_link
def page(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponseBase:
    """The charts, live, and behind them the table, tests and trade-offs, what differs, the spec."""
    if link.view and not request.GET:
        return redirect(f"{request.path}?{urlencode(link.view)}")
    context = _context(token, link, runs)
    if link.chart:
        return render(request, "sharing/chart.html", context | _of_chart(token, link))
    context |= _of_metrics(token, link, runs)
    if link.kind == Kind.RUN:
        context |= _of_run(token, runs[0])
    elif link.kind == Kind.COMPARISON:
        try:
            context |= _of_comparison(request, token, link, runs)
        except BadRequest as error:
            return refused(error)
    return render(request, "sharing/page.html", context)


@of_a_link
def state(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponse:
    """Progress alone, for a page that is open."""
    return render(request, "sharing/_state.html", _context(token, link, runs))


@of_a_link
def figures(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponseBase:
    if link.chart:
        return gone(request)
    try:
        wanted = read_figure_request(question_of(request, link))
    except BadRequest as error:
        return refused(error)
    return figures_answer(runs, wanted, [link.metric] if link.metric else None)


@of_a_link
def figure_file(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run], extension: str
) -> HttpResponse:
    if link.chart:
        return gone(request)
    try:
        wanted = read_file_request(question_of(request, link))
    except BadRequest as error:
        return refused(error)
    return figure_answer(runs, wanted, extension)


@xframe_options_exempt
@of_a_link
def embed(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponseBase:
    """One figure alone, for a frame in somebody else's page."""
    if link.kind != Kind.FIGURE:
        return gone(request)
    context = _context(token, link, runs)
    if link.chart:
        answer = render(request, "sharing/embed_chart.html", context | _of_chart(token, link))
    else:
        answer = render(request, "sharing/embed.html", context | _of_metrics(token, link, runs))
    answer.headers["Content-Security-Policy"] = EMBEDDABLE
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


def _context(token: str, link: ShareLink, runs: list[Run]) -> dict[str, Any]:
    """What is said of every link: what it is of, and how far that is."""
    return {
        "token": token,
        "link": link,
        "runs": runs,
        "first": runs[0],
        "run_ids": ",".join(str(run.pk) for run in runs),
        "experiments": list(dict.fromkeys(run.experiment.name for run in runs)),
        "ended": sum(run.has_ended for run in runs),
        "steps": sum(run.step for run in runs),
        "total_steps": sum(run.total_steps for run in runs),
    }


def _of_metrics(token: str, link: ShareLink, runs: list[Run]) -> dict[str, Any]:
    """The curves: of one metric, or of all that have a place."""
    measured = {name for run in runs for name in run.summary}
    names = [link.metric] if link.metric else with_tests(PAGE_METRICS, measured)
    hidden = link.view.get("hidden", "").split(",") if link.metric else []
    return {
        "metrics": [find_metric(name) for name in names],
        "configurations": [group for group in configurations(runs) if group.key not in hidden],
        "embedded": link.view,
        "figures_url": reverse("sharing:figures", args=[token]),
        "file_url": f"{reverse('sharing:page', args=[token])}/figure.",
    }


def _of_run(token: str, run: Run) -> dict[str, Any]:
    return {
        "picture_count": run.pictures.count(),
        "spec_yaml": engine.spec.stored_to_yaml(run.spec),
        "summary_url": f"{reverse('sharing:page', args=[token])}/summary.",
    }


def _of_comparison(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run]
) -> dict[str, Any]:
    """Raises `BadRequest` where the address asks for what there is not."""
    wanted = comparison_of(question_of(request, link), runs)
    base = reverse("sharing:page", args=[token])
    return {
        **numbers_context(request, runs, wanted),
        "comparing": True,
        "summary": summary_of(runs, wanted),
        "costs": cost_choices(runs),
        "differences": difference_of(configurations(runs)),
        "summary_url": f"{base}/summary.",
        "table_url": reverse("sharing:summary", args=[token]),
        "charts_url": reverse("sharing:charts", args=[token]),
        "chart_file_url": f"{base}/chart.",
        "beside_url": reverse("sharing:pictures-beside", args=[token]),
    }


def _of_chart(token: str, link: ShareLink) -> dict[str, Any]:
    return {
        "charts_url": reverse("sharing:charts", args=[token]),
        "chart_file_url": f"{reverse('sharing:page', args=[token])}/chart.",
    }
