"""The page of one experiment: its runs beside each other, live, and what may be done with them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

import engine.spec
from engine.presets import PRESETS
from engine.spec import SpecError
from webapp.compare.selectors import overlay_context
from webapp.experiments.models import Experiment
from webapp.experiments.selectors import experiment_for
from webapp.experiments.services import rename
from webapp.exports.requests import MOST_RUNS
from webapp.forecasts.of_runs import of_experiment
from webapp.runs.models import ENDS
from webapp.runs.permissions import may_change
from webapp.runs.selectors import visible_runs
from webapp.runs.services import request_cancel


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What one sees right after the launch."""
    experiment = experiment_for(request.user, pk)
    runs = list(
        visible_runs(request.user).filter(experiment=experiment).order_by("number")[:MOST_RUNS]
    )
    context = overlay_context(runs) | {
        "experiment": experiment,
        "forecast": of_experiment(experiment.pk, runs),
        "may_change": may_change(request.user, experiment),
        "preset": next((item for item in PRESETS if item.slug == experiment.preset), None),
        "spec_yaml": spec_yaml(experiment),
        "left_out": experiment.run_count - len(runs),
    }
    return render(request, "experiments/detail.html", context)


@require_POST
def rename_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    experiment = experiment_for(request.user, pk)
    try:
        rename(user=request.user, experiment=experiment, name=request.POST.get("name", ""))
    except SpecError as error:
        messages.error(request, f"Not renamed: {error.errors[0].message}.")
    return redirect("experiments:detail", pk=pk)


@require_POST
def cancel_experiment(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel every run of the experiment that has not ended."""
    experiment = experiment_for(request.user, pk)
    going = visible_runs(request.user).filter(experiment=experiment).exclude(status__in=ENDS)
    cancelled = [request_cancel(user=request.user, run=run) for run in going]
    if cancelled:
        one = len(cancelled) == 1
        what, they_have = ("run", "it has") if one else ("runs", "they have")
        messages.success(
            request, f"Cancelling {len(cancelled)} {what}. The points that {they_have} are kept."
        )
    return redirect("experiments:detail", pk=pk)


@require_GET
def spec_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The spec as a YAML file, which `python -m engine run` reads."""
    experiment = experiment_for(request.user, pk)
    response = HttpResponse(spec_yaml(experiment), content_type="application/yaml; charset=utf-8")
    name = slugify(experiment.name)[:80] or f"experiment-{pk}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
    return response


def spec_yaml(experiment: Experiment) -> str:
    return engine.spec.stored_to_yaml(experiment.spec)
