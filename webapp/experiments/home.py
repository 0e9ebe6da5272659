"""The home page: presets to start from, what runs now, and what the lab did last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from webapp.experiments.draft_views import drafts_context
from webapp.experiments.models import Experiment
from webapp.experiments.preset_cards import cards_by_topic, last_results
from webapp.experiments.selectors import visible_experiments
from webapp.experiments.sparklines import Sparkline, sparkline
from webapp.exports.palette import slot_of
from webapp.runs.models import ENDS, Run, Status
from webapp.runs.selectors import series, visible_runs

if TYPE_CHECKING:
    from webapp.accounts.models import User

ACTIVE = (Status.QUEUED, Status.RUNNING)
MOST_SHOWN = 6
MOST_LINES = 12
"""More lines than this in a thumbnail are a smudge."""


@dataclass(frozen=True)
class Ongoing:
    """An experiment with runs that have not ended, drawn small."""

    experiment: Experiment
    runs: list[Run]
    line: Sparkline

    @property
    def running(self) -> int:
        return sum(run.status == Status.RUNNING for run in self.runs)

    @property
    def ended(self) -> int:
        return sum(run.status in ENDS for run in self.runs)

    @property
    def percent(self) -> int:
        total = sum(run.total_steps for run in self.runs)
        done = sum(run.total_steps if run.status in ENDS else run.step for run in self.runs)
        return round(100 * done / total) if total else 0


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    context = {
        "topics": cards_by_topic(),
        "ongoing": ongoing(user),
        "my_runs": my_runs(user),
        "activity": [(item, ago(item.created_at)) for item in activity(user)],
        **drafts_context(user, request.GET.get("discarded", "")),
    }
    return render(request, "home.html", context)


@require_GET
def running(request: HttpRequest) -> HttpResponse:
    """The parts of the page that are read again while something runs."""
    context = {"ongoing": ongoing(request.user), "my_runs": my_runs(request.user)}
    return render(request, "experiments/running_answer.html", context)


@require_GET
def preset_results(request: HttpRequest) -> HttpResponse:
    """What each preset gave last in this lab, drawn into its card."""
    context = {"results": last_results(request.user)}
    return render(request, "experiments/preset_results.html", context)


def ongoing(user: User) -> list[Ongoing]:
    active = visible_runs(user).filter(status__in=ACTIVE)
    newest = active.order_by("-experiment_id").values_list("experiment_id", flat=True).distinct()
    experiments = visible_experiments(user).in_bulk(list(newest[:MOST_SHOWN]))
    runs_of: dict[int, list[Run]] = {pk: [] for pk in sorted(experiments, reverse=True)}
    for run in visible_runs(user).filter(experiment_id__in=experiments).order_by("number"):
        runs_of[run.experiment_id].append(run)
    drawn = {run.pk for runs in runs_of.values() for run in runs[:MOST_LINES]}
    losses = series(drawn, names=["meta_loss"])
    return [
        Ongoing(experiments[pk], runs, sparkline(runs[:MOST_LINES], losses))
        for pk, runs in runs_of.items()
    ]


def my_runs(user: User) -> list[tuple[Run, int]]:
    """The person's newest runs, each with the slot of its colour."""
    mine = visible_runs(user).filter(experiment__owner=user)[:MOST_SHOWN]
    return [(run, slot_of(run.colour)) for run in mine]


def activity(user: User) -> list[Experiment]:
    return list(
        visible_experiments(user)
        .annotate(
            failed_count=Count("runs", filter=Q(runs__status=Status.FAILED)),
        )
        .order_by("-created_at", "-pk")[:MOST_SHOWN]
    )


def ago(moment: datetime) -> str:
    """How long ago `moment` was, in the largest unit that fits."""
    seconds = (timezone.now() - moment).total_seconds()
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
