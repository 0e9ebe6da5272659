"""What was launched before anybody had said what it needs gets its forecast while it waits.

The worker that forecasts looks for such experiments with every pulse and after every answer, so a
forecast that comes a moment after its launch is not lost, and one whose question was lost is asked
for again.
"""

from __future__ import annotations

from django.db import transaction

from engine.spec import SpecError, validate
from webapp.experiments.models import Experiment
from webapp.forecasts import services
from webapp.forecasts.answers import Answer
from webapp.forecasts.models import LaunchForecast
from webapp.forecasts.outlook import Outlook
from webapp.runs.models import Run, Status
from webapp.runs.wake import wake

MOST = 10
"""Experiments that are looked at together. At random, so that those which defeat every way to
forecast them keep nobody else from it."""


def fill_in() -> None:
    """Give runs that wait without a forecast what has been said of their experiment; ask where
    nobody has. Harmless at any time and in any number of processes at once."""
    unknown = Run.objects.filter(status=Status.QUEUED, needs_bytes=None)
    waiting = Experiment.objects.filter(pk__in=unknown.values("experiment"), forecast=None)
    for experiment in waiting.order_by("?")[:MOST]:
        outlook = _outlook_of(experiment)
        if outlook.answer is not None:
            _give(experiment, outlook.answer)


def _outlook_of(experiment: Experiment) -> Outlook:
    """What is known of it; asked for where nobody has tried to say it yet."""
    try:
        spec = validate(experiment.spec)
    except SpecError:
        # Of an older version: its runs will say so.
        return services.NOTHING
    queue = experiment.runs.values_list("queue", flat=True)[0]
    spec = spec.model_copy(update={"device": services.DEVICES[queue]})
    known = services.look_up(spec)
    return known if known.state in ("answered", "slow") else services.ask(spec)


def _give(experiment: Experiment, answer: Answer) -> None:
    needs = answer.needs_by_number
    with transaction.atomic():
        LaunchForecast.objects.get_or_create(
            experiment=experiment, defaults={"answer": answer.model_dump(mode="json")}
        )
        unknown = experiment.runs.filter(status=Status.QUEUED, needs_bytes=None)
        runs = list(unknown.only("number", "queue"))
        for run in runs:
            run.needs_bytes, run.expected_seconds = needs.get(run.number, (None, None))
        Run.objects.bulk_update(runs, ["needs_bytes", "expected_seconds"], batch_size=1000)
        messages = [(run.pk, run.queue) for run in runs]
        transaction.on_commit(lambda: wake(messages))
