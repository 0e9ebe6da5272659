"""The page of one run, and what may be done with it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

import engine.spec
from engine.presets import PRESETS
from webapp.compare.difference import Difference, differences
from webapp.compare.selectors import followed
from webapp.exports.configurations import configurations
from webapp.exports.metrics import METRICS, PAGE_METRICS, with_tests
from webapp.forecasts.of_runs import of_run
from webapp.live import messages as live_messages
from webapp.runs.models import Run
from webapp.runs.permissions import may_change
from webapp.runs.selectors import run_for
from webapp.runs.services import delete, request_cancel

MOST_EVENTS = 500
_OF_THE_COMPARISON = ("name", "seeds", "estimators", "sweep")
"""A run has one estimator and one seed, so these always differ from the experiment's."""


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = run_for(request.user, pk)
    origin, changes = _difference_from_origin(run)
    context = {
        "run": run,
        "experiment": run.experiment,
        "state": live_messages.state(run),
        "forecast": of_run(run),
        "configuration": configurations([run])[0],
        "followed": [followed(run)],
        "metrics": [METRICS[name] for name in with_tests(PAGE_METRICS, run.summary)],
        "picture_count": run.pictures.order_by().values("name").distinct().count(),
        "may_change": may_change(request.user, run.experiment),
        "siblings": _siblings(run),
        "spec_yaml": engine.spec.stored_to_yaml(run.spec),
        "origin": origin,
        "changes": changes,
        "events": run.events.all()[:MOST_EVENTS],
    }
    return render(request, "runs/detail.html", context)


@require_GET
def events(request: HttpRequest, pk: int) -> HttpResponse:
    """The log alone, for a page that is followed live."""
    run = run_for(request.user, pk)
    return render(request, "runs/_events.html", {"events": run.events.all()[:MOST_EVENTS]})


@require_POST
def cancel_run(request: HttpRequest, pk: int) -> HttpResponse:
    run = request_cancel(user=request.user, run=run_for(request.user, pk))
    if run.has_ended:
        messages.success(request, f"The run is {run.get_status_display().lower()}.")
    else:
        messages.success(
            request, "The run stops after its outer step. The points that it has are kept."
        )
    return redirect("runs:detail", pk=pk)


@require_POST
def delete_run(request: HttpRequest, pk: int) -> HttpResponse:
    run = run_for(request.user, pk)
    label = run.label
    delete(user=request.user, run=run)
    messages.success(request, f"Run {pk} ({label}) and its points are deleted.")
    return redirect("runs:list")


def _siblings(run: Run) -> str:
    """Up to twelve runs of the experiment, this one among them, for a comparison."""
    ids = list(run.experiment.runs.order_by("number").values_list("pk", flat=True)[:12])
    if run.pk not in ids:
        ids[-1] = run.pk
    return ",".join(str(pk) for pk in ids) if len(ids) > 1 else ""


def _difference_from_origin(run: Run) -> tuple[str, list[Difference]]:
    """What this run's experiment came from, in words, and how the run's spec differs from it."""
    experiment = run.experiment
    origin: dict[str, Any] | None = None
    words = ""
    if experiment.parent_id:
        origin, words = experiment.parent.spec, f"experiment {experiment.parent_id}"
    elif preset := next((item for item in PRESETS if item.slug == experiment.preset), None):
        origin = engine.spec.read_text(preset.text).model_dump(mode="json")
        words = f"the preset “{preset.title}”"
    if origin is None:
        return "", []
    return words, differences([origin, run.spec], leave_out=_OF_THE_COMPARISON)
