"""`GET /metrics` for Prometheus, and the admin's page of recent errors."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from webapp.accounts.models import ApiToken, Scope
from webapp.observability.metrics import exposition
from webapp.observability.models import RecentError

ERRORS_PER_PAGE = 50


@login_not_required
@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """For an admin of the lab, by session or by a token with the scope admin."""
    if not _may_read_metrics(request):
        refused = HttpResponse(
            "Give the token of an admin with the scope admin: Authorization: Bearer lab_…\n",
            status=401,
            content_type="text/plain; charset=utf-8",
        )
        refused.headers["WWW-Authenticate"] = "Bearer"
        return refused
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read_metrics(request: HttpRequest) -> bool:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        token = ApiToken.objects.use(given.strip())
        return token is not None and Scope.ADMIN in token.scopes and token.user.is_lab_admin
    return request.user.is_authenticated and request.user.is_lab_admin


@require_GET
def errors(request: HttpRequest) -> HttpResponse:
    """What went wrong lately, the newest first."""
    _require_admin(request)
    page = Paginator(RecentError.objects.all(), ERRORS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "observability/errors.html", {"page": page})


@require_POST
def forget_errors(request: HttpRequest) -> HttpResponse:
    """Empties the list: what happens again comes again."""
    _require_admin(request)
    RecentError.objects.all().delete()
    messages.success(request, "The list is empty. What happens again comes again.")
    return redirect("observability:errors")


def _require_admin(request: HttpRequest) -> None:
    """To everybody else the page is not there."""
    if not request.user.is_lab_admin:
        raise Http404
