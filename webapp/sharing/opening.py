"""The door of a link: what its token opens, and the same answer for whatever it does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.sharing.models import ShareLink
from webapp.sharing.selectors import shared_runs

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
        answer = view(request, token, link, runs, **more) if runs else gone(request)
        # The address is the key: no other site, cache or search engine is to learn it.
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["Cache-Control"] = "private, no-store"
        answer.headers["X-Robots-Tag"] = "noindex, nofollow"
        return answer

    return opened


def gone(request: HttpRequest) -> HttpResponse:
    """The same for a link that expired, was revoked, or never was."""
    if request.headers.get("HX-Request") == "true":
        return render(request, "sharing/_gone.html", status=STOP_POLLING)
    return render(request, "sharing/gone.html", status=404)
