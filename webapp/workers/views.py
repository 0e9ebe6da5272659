"""The page of the queue: which workers live, what they do, what waits and why."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from webapp.forecasts.drift import drifts
from webapp.runs.models import Run, Status
from webapp.runs.selectors import run_for
from webapp.runs.services import request_cancel
from webapp.workers import services
from webapp.workers.models import QueueAction, Worker
from webapp.workers.queue_page import lights, queue_now

MOST_WAITING = 200
MOST_ACTIONS = 8


@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """The whole page, or its changing part alone for htmx."""
    now = queue_now(most_waiting=MOST_WAITING)
    context: dict[str, Any] = {
        "cards": now.cards,
        "waiting": now.waiting,
        "waiting_count": Run.objects.filter(status=Status.QUEUED).count(),
        "lights": lights(now.cards),
        "drifts": drifts() if request.user.is_lab_admin else [],
        "actions": QueueAction.objects.select_related("admin")[:MOST_ACTIONS],
    }
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "workers/_state.html" if partial else "workers/queue.html", context)


@require_POST
def act_on_worker(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """`pause`, `resume` or `forget`: for admins."""
    worker = get_object_or_404(Worker, pk=pk)
    try:
        if act in ("pause", "resume"):
            services.set_paused(user=request.user, worker=worker, paused=act == "pause")
        elif act == "forget":
            services.forget(user=request.user, worker=worker)
        else:
            raise Http404(f"{act!r} cannot be done to a worker; allowed: pause, resume, forget")
    except services.CannotDo as problem:
        messages.error(request, str(problem))
    return redirect("workers:queue")


@require_POST
def act_on_run(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """`front` or `back`, for admins; `cancel`, for the owner too."""
    run = run_for(request.user, pk)
    try:
        if act in ("front", "back"):
            services.move(user=request.user, run=run, end=act)
        elif act == "cancel":
            request_cancel(user=request.user, run=run)
        else:
            raise Http404(f"{act!r} cannot be done to a waiting run; allowed: front, back, cancel")
    except services.CannotDo as problem:
        messages.error(request, str(problem))
    return redirect("workers:queue")
