"""The page of how good forecasts have been, and its figures."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.forecasts import figures
from webapp.forecasts.accuracy import accuracy, by_worker_and_estimator, newest, pairs
from webapp.forecasts.drift import drifts
from webapp.forecasts.models import MachineRates

MOST_LISTED = 12
CHARTS = (
    ("memory", "Peak memory", "One estimate's peak: measured by a probe against what was said."),
    ("time", "Time", "Estimates and probes of a run, with the 90 % interval that was given."),
)


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    rows = newest()
    context = {
        "charts": CHARTS,
        "all": accuracy(rows),
        "groups": by_worker_and_estimator(rows),
        "listed": rows[:MOST_LISTED],
        "machines": MachineRates.objects.all(),
        "drifts": drifts(rows) if request.user.is_lab_admin else [],
    }
    return render(request, "forecasts/accuracy.html", context)


@require_GET
def charts(request: HttpRequest) -> JsonResponse:
    """A figure each by name; one without a run is absent."""
    rows, drawn = newest(), {}
    for quantity, _, _ in CHARTS:
        if compared := pairs(rows, quantity):
            drawn[f"{quantity}-scatter"] = figures.scatter(compared, quantity)
            drawn[f"{quantity}-errors"] = figures.errors(compared, quantity)
    return JsonResponse(drawn)
