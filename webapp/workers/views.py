"""The page of the queue: which workers live, what they do, what waits and why."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.forecasts.drift import drifts
from webapp.runs.models import Run, Status
from webapp.workers.selectors import waiting_runs, worker_cards

MOST_WAITING = 200


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """The whole page, or its changing part alone for htmx."""
    waiting = waiting_runs(limit=MOST_WAITING)
    context = {
        "cards": worker_cards(),
        "waiting": waiting,
        "waiting_count": Run.objects.filter(status=Status.QUEUED).count(),
        "drifts": drifts() if request.user.is_lab_admin else [],
    }
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "workers/_state.html" if partial else "workers/queue.html", context)
