"""Making, listing and revoking links: for people of the lab."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.request import QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from webapp.compare.requests import OF
from webapp.exports.requests import BadRequest, read_run_ids, runs_for
from webapp.sharing.models import Kind, ShareLink
from webapp.sharing.selectors import links_of
from webapp.sharing.services import revoke, share

VIEW = (
    "x", "scale", "smoothing", "band", "hidden", "cost", "at",
    "of", "baseline", "tested", "across", "along",
)  # fmt: skip
"""Of a page's address: how its charts are drawn, and how its runs are compared."""


@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """A link to `runs`, to their figure `metric` (or chart) where one is named, for `days` days.

    `view` is the query of the page that it is made on.
    """
    try:
        runs = runs_for(request.user, read_run_ids(request.POST.get("runs", "")))
        link, token = share(
            owner=request.user,
            runs=runs,
            days=_days(request.POST.get("days", "")),
            figure=request.POST.get("metric", ""),
            view=_view(request.POST.get("view", "")),
        )
    except BadRequest as error:
        return render(request, "sharing/_refused.html", {"problem": str(error)}, status=422)
    address = request.build_absolute_uri(reverse("sharing:page", args=[token]))
    embed = request.build_absolute_uri(reverse("sharing:embed", args=[token]))
    context = {
        "link": link,
        "address": address,
        "embed": embed if link.kind == Kind.FIGURE else "",
    }
    return render(request, "sharing/_created.html", context, status=201)


@require_GET
def links(request: HttpRequest) -> HttpResponse:
    return _links(request)


@require_POST
def revoke_link(request: HttpRequest, pk: int) -> HttpResponse:
    """The list without the link; from the dialog (`?alone`) a word that it is done."""
    link = revoke(user=request.user, pk=pk)
    if "alone" in request.GET:
        return render(request, "sharing/_revoked.html", {"link": link})
    return _links(request)


def _links(request: HttpRequest) -> HttpResponse:
    found: list[ShareLink] = list(links_of(request.user))
    return render(request, "sharing/_links.html", {"links": found, "user": request.user})


def _days(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f"days: {text[:20]!r} is not possible; allowed: a whole number.") from None


def _view(query: str) -> dict[str, str]:
    given = QueryDict(query)
    return {
        name: value
        for name, value in given.items()
        if value and (name in VIEW or name.startswith(OF))
    }
