"""The admin's page of the audit log."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.audit.models import Entry

PER_PAGE = 100


@require_GET
def entries(request: HttpRequest) -> HttpResponse:
    """What people did, the newest first; `who` and `action` narrow it."""
    if not request.user.is_lab_admin:
        raise Http404
    who, action = request.GET.get("who", ""), request.GET.get("action", "")
    found = Entry.objects.all()
    if who:
        found = found.filter(actor_name=who)
    if action:
        found = found.filter(action=action)
    context = {
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        "who": who,
        "action": action,
        "actions": Entry.objects.order_by("action").values_list("action", flat=True).distinct(),
    }
    return render(request, "audit/entries.html", context)
