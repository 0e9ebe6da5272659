"""What a link shows, to whoever has it: read-only, and nothing but what is shared."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET

import engine.spec
from webapp.compare.selectors import difference_of, summary_of
from webapp.exports.configurations import configurations
from webapp.exports.metrics import METRICS, PAGE_METRICS, find_metric, with_tests
from webapp.exports.picture_views import picture_answer, picture_file_answer, pictures_answer
from webapp.exports.requests import (
    BadRequest,
    read_figure_request,
    read_file_request,
)
from webapp.exports.views import figure_answer, figures_answer, refused, summary_answer
from webapp.runs.models import Run
from webapp.runs.selectors import picture_for
from webapp.security import CONTENT_SECURITY_POLICY
from webapp.sharing.models import Kind, ShareLink
from webapp.sharing.selectors import shared_runs

EMBEDDABLE = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
STOP_POLLING = 286
"""htmx shows the answer and asks no more."""

View = Callable[..., HttpResponseBase]


def of_a_link(view: View) -> View:
    """A view that gets what the token opens; whatever a token does not open, says the same."""

    @login_not_required
    @require_GET
    @wraps(view)
    def opened(request: HttpRequest, token: str, **more: str) -> HttpResponseBase:
        link = ShareLink.objects.use(token)
        runs = shared_runs(link) if link else []
        answer = view(request, token, link, runs, **more) if runs else _gone(request)
        # The address is the key: no other site, cache or search engine is to learn it.
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cache-Control"] = "private, no-store"
        answer.headers["X-Robots-Tag"] = "noindex, nofollow"
        return answer

    return opened


@of_a_link
def page(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponse:
    """The charts, live, and behind them the table, what differs, and the spec."""
    if link.view and not request.GET:
        return redirect(f"{request.path}?{urlencode(link.view)}")
    return render(request, "sharing/page.html", _context(token, link, runs))


@of_a_link
def state(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponse:
    """Progress and table alone, for a page that is open."""
    return render(request, "sharing/_state.html", _context(token, link, runs))


@of_a_link
def figures(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponseBase:
    try:
        wanted = read_figure_request(_asked(request, link))
    except BadRequest as error:
        return refused(error)
    return figures_answer(runs, wanted, [link.metric] if link.metric else None)


@of_a_link
def figure_file(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run], extension: str
) -> HttpResponse:
    try:
        wanted = read_file_request(_asked(request, link))
    except BadRequest as error:
        return refused(error)
    return figure_answer(runs, wanted, extension)


@of_a_link
def summary_file(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run], extension: str
) -> HttpResponseBase:
    return _gone(request) if link.kind == Kind.FIGURE else summary_answer(runs, extension)


@of_a_link
def pictures(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run]
) -> HttpResponseBase:
    """Which pictures a shared run has; those of a comparison are not shared."""

    def address(name: str, step: int, key: int) -> str:
        return f"{reverse('sharing:picture', args=[token, name, step])}?key={key}"

    return pictures_answer(runs[0], address) if link.kind == Kind.RUN else _gone(request)


@of_a_link
def picture(
    request: HttpRequest, token: str, link: ShareLink, runs: list[Run], name: str, step: int
) -> HttpResponseBase:
    if link.kind != Kind.RUN:
        return _gone(request)
    return picture_answer(picture_for(link.owner, runs[0].pk, name, step))


@of_a_link
def picture_file(
    request: HttpRequest,
    token: str,
    link: ShareLink,
    runs: list[Run],
    name: str,
    step: str,
    extension: str,
) -> HttpResponseBase:
    if link.kind != Kind.RUN:
        return _gone(request)
    found = picture_for(link.owner, runs[0].pk, name, int(step))
    return picture_file_answer(found, request.GET, extension)


@xframe_options_exempt
@of_a_link
def embed(request: HttpRequest, token: str, link: ShareLink, runs: list[Run]) -> HttpResponseBase:
    """One figure alone, for a frame in somebody else's page."""
    if link.kind != Kind.FIGURE:
        return _gone(request)
    answer = render(request, "sharing/embed.html", _context(token, link, runs))
    answer.headers["Content-Security-Policy"] = EMBEDDABLE
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


def _context(token: str, link: ShareLink, runs: list[Run]) -> dict[str, object]:
    groups = configurations(runs)
    hidden = link.view.get("hidden", "").split(",") if link.metric else []
    measured = {name for run in runs for name in run.summary}
    if link.metric:
        metrics = [find_metric(link.metric)]
    else:
        metrics = [METRICS[name] for name in with_tests(PAGE_METRICS, measured)]
    whole = link.kind != Kind.FIGURE
    return {
        "token": token,
        "link": link,
        "runs": runs,
        "first": runs[0],
        "run_ids": ",".join(str(run.pk) for run in runs),
        "configurations": [group for group in groups if group.key not in hidden],
        "metrics": metrics,
        "embedded": link.view,
        "picture_count": runs[0].pictures.count() if link.kind == Kind.RUN else 0,
        "ended": sum(run.has_ended for run in runs),
        "steps": sum(run.step for run in runs),
        "total_steps": sum(run.total_steps for run in runs),
        "summary": summary_of(runs) if whole else None,
        "differences": difference_of(groups) if whole else [],
        "spec_yaml": engine.spec.stored_to_yaml(runs[0].spec) if link.kind == Kind.RUN else "",
        "figures_url": reverse("sharing:figures", args=[token]),
        "file_url": f"{reverse('sharing:page', args=[token])}/figure.",
        "summary_url": f"{reverse('sharing:page', args=[token])}/summary." if whole else "",
        "experiments": list(dict.fromkeys(run.experiment.name for run in runs)),
    }


def _asked(request: HttpRequest, link: ShareLink) -> dict[str, str]:
    """What the reader asks for, else how it was shared; of a figure, what was hidden stays so."""
    query = {**link.view, **request.GET.dict()}
    if link.metric:
        query |= {"metric": link.metric, "hidden": link.view.get("hidden", "")}
    return query


def _gone(request: HttpRequest) -> HttpResponse:
    """The same for a link that expired, was revoked, or never was."""
    if request.headers.get("HX-Request") == "true":
        return render(request, "sharing/_gone.html", status=STOP_POLLING)
    return render(request, "sharing/gone.html", status=404)
