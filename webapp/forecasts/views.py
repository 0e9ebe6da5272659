"""Parts of pages that are asked for again: the builder's panel, and forecasts beside runs."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.experiments.selectors import experiment_for
from webapp.forecasts.of_runs import of_experiment, of_run
from webapp.forecasts.panel import Panel
from webapp.forecasts.services import PANEL_SECONDS, has_answer, looked, waited_for
from webapp.runs.selectors import run_for


@require_GET
def panel(request: HttpRequest, key: str) -> HttpResponse:
    """What is known of the question `key`, as soon as there is more than was `seen`: the element
    that asks again, and what changed."""
    looked(key)
    seen = partial(has_answer, seen=request.GET.get("seen", ""))
    context = {"panel": Panel(waited_for(key, PANEL_SECONDS, enough=seen))}
    return render(request, "forecasts/answer.html", context)


@require_GET
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """What run `pk` was said to take, and what remains."""
    context = {"forecast": of_run(run_for(request.user, pk))}
    return render(request, "forecasts/run.html", context)


@require_GET
def experiment(request: HttpRequest, pk: int) -> HttpResponse:
    """What remains of experiment `pk`."""
    found = experiment_for(request.user, pk)
    runs = found.runs.defer("spec", "summary")
    context = {"forecast": of_experiment(found.pk, list(runs)), "experiment": found}
    return render(request, "forecasts/experiment.html", context)
