"""The page of one run, and the parts of it that come anew while it runs."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

import engine.spec
from engine.presets import PRESETS
from webapp.compare.difference import Difference, differences
from webapp.compare.selectors import followed
from webapp.exports.configurations import configurations
from webapp.exports.metrics import METRICS, PAGE_METRICS, with_tests
from webapp.forecasts.of_runs import of_run
from webapp.live import messages as live_messages
from webapp.runs import pausing
from webapp.runs.checkpoint_store import CheckpointStore, step_of
from webapp.runs.events import EventQuery, events_of, log_text, read_event_query
from webapp.runs.markdown import to_html
from webapp.runs.models import Run, RunEvent
from webapp.runs.permissions import may_change
from webapp.runs.problems import problem_of
from webapp.runs.selectors import run_for
from webapp.scheduling import backoff
from webapp.scheduling.priorities import words_for

_OF_THE_COMPARISON = ("name", "seeds", "estimators", "sweep")
"""A run has one estimator and one seed, so these always differ from the experiment's."""


@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = run_for(request.user, pk)
    origin, changes = _difference_from_origin(run)
    context = {
        **_now(request, run),
        "experiment": run.experiment,
        "state": live_messages.state(run),
        "forecast": of_run(run),
        "configuration": configurations([run])[0],
        "followed": [followed(run)],
        "metrics": [METRICS[name] for name in with_tests(PAGE_METRICS, run.summary)],
        "picture_count": run.pictures.order_by().values("name").distinct().count(),
        "siblings": _siblings(run),
        "spec_yaml": engine.spec.stored_to_yaml(run.spec),
        "origin": origin,
        "changes": changes,
        "notes_html": to_html(run.notes),
        **_events(run, EventQuery()),
        "kinds": RunEvent.Kind.choices,
        "levels": RunEvent.Level.choices,
    }
    return render(request, "runs/detail.html", context)


@require_GET
def now(request: HttpRequest, pk: int) -> HttpResponse:
    """What may be done with a run and what is wrong with it, for a page whose run has changed."""
    return render(request, "runs/_now.html", _now(request, run_for(request.user, pk)))


@require_GET
def events(request: HttpRequest, pk: int) -> HttpResponse:
    """The events alone: all, or those that the query's `kind`, `level` and `q` leave."""
    run = run_for(request.user, pk)
    return render(request, "runs/_events.html", _events(run, read_event_query(request.GET)))


@require_GET
def log(request: HttpRequest, pk: int) -> HttpResponse:
    """What the run said, as plain text."""
    text = log_text(events_of(run_for(request.user, pk), EventQuery(kind="log")))
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    if "download" in request.GET:
        answer.headers["Content-Disposition"] = f'attachment; filename="run-{pk}-log.txt"'
    return answer


@require_GET
def checkpoint(request: HttpRequest, pk: int) -> FileResponse:
    """The newest kept checkpoint, as `engine.checkpoints.save` wrote it."""
    run = run_for(request.user, pk)
    store = CheckpointStore(run.pk)
    newest = next(iter(store.newest_first()), None)
    if newest is None:
        raise Http404(f"Run {pk} keeps no checkpoint.")
    name = f"run-{pk}-step-{step_of(newest)}.pt"
    return FileResponse(store.storage.open(newest), as_attachment=True, filename=name)


def _now(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {
        "run": run,
        "may_change": may_change(request.user, run.experiment),
        "may_resume": pausing.may_resume(run),
        "priority": run.get_priority_display().lower(),
        "priorities": words_for(request.user),
        "problem": problem_of(run),
        "put_off": backoff.reason_of(run),
    }


def _events(run: Run, query: EventQuery) -> dict[str, Any]:
    everything = events_of(run, EventQuery())
    return {
        "events": events_of(run, query) if query else everything,
        "event_query": query,
        "event_count": len(everything),
        "log_text": log_text(everything),
    }


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
