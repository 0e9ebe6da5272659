"""The admin's page of quotas."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.models import User
from webapp.accounts.people_views import for_admins
from webapp.scheduling import quotas
from webapp.scheduling.models import Quota
from webapp.scheduling.quota_form import QuotaForm


@never_cache
@require_GET
@for_admins
def everybodys_quotas(request: HttpRequest) -> HttpResponse:
    kept = {quota.person_id: quota for quota in Quota.objects.all()}
    people = list(User.objects.filter(is_active=True))
    standings = quotas.standings_of_each(people)
    rows = [_row(person, kept.get(person.pk), standings[person.pk]) for person in people]
    context = {"lab": _form(kept.get(None)), "rows": rows}
    return render(request, "scheduling/quotas.html", context)


@require_POST
@for_admins
def set_quota(request: HttpRequest, pk: int) -> HttpResponse:
    """Bounds of person `pk`, or of the lab where that is 0."""
    person = get_object_or_404(User, pk=pk) if pk else None
    form = QuotaForm(request.POST)
    if form.is_valid():
        quotas.set_quota(admin=request.user, person=person, bounds=form.cleaned_data)
        messages.success(request, f"The quota of {person or 'the lab'} is changed.")
    else:
        messages.error(request, f"Nothing is changed. {form.sentences()}")
    return redirect("scheduling:quotas")


def _form(quota: Quota | None) -> QuotaForm:
    return QuotaForm(initial={bound: getattr(quota, bound, None) for bound in quotas.BOUNDS})


def _row(person: User, quota: Quota | None, standings: list[quotas.Standing]) -> dict[str, Any]:
    of_bound = {standing.bound: standing for standing in standings}
    fields = [(field, of_bound[field.name]) for field in _form(quota)]
    return {"person": person, "fields": fields}
