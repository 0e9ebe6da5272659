"""What was launched before anybody had said what it needs gets its forecast while it waits.

The worker that forecasts looks for such experiments with every pulse and after every answer, so a
forecast that comes a moment after its launch is not lost, and one whose question was lost is asked
for again. What nobody can forecast waits for nothing any more.
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
"""Experiments that are looked at together. At random, so that those whose answer takes long keep
nobody else from it."""


def fill_in() -> None:
    """Give runs that wait without a forecast what has been said of their experiment; ask where
    nobody has. Harmless at any time and in any number of processes at once."""
    unknown = Run.objects.filter(
        status=Status.QUEUED, needs_bytes=None, forecast_given_up=False
    ).values("experiment")
    waiting = Experiment.objects.filter(pk__in=unknown, forecast=None)
    for experiment in waiting.order_by("?")[:MOST]:
        outlook = _outlook_of(experiment)
        if outlook.answer is not None or is_given_up(outlook):
            _tell(experiment, outlook.answer)


def is_given_up(outlook: Outlook) -> bool:
    """Whether the question came to nothing, and is not asked again."""
    return outlook.answer is None and outlook.state in ("answered", "slow", "unknown")


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


def _tell(experiment: Experiment, answer: Answer | None) -> None:
    """Give the runs of `experiment` what they need by `answer`; those of which it says nothing wait
    for no forecast any more."""
    needs = answer.needs_by_number if answer else {}
    with transaction.atomic():
        if answer:
            LaunchForecast.objects.get_or_create(
                experiment=experiment, defaults={"answer": answer.model_dump(mode="json")}
            )
        unknown = experiment.runs.filter(status=Status.QUEUED, needs_bytes=None)
        runs = list(unknown.only("number", "queue"))
        for run in runs:
            run.needs_bytes, run.expected_seconds = needs.get(run.number, (None, None))
            run.forecast_given_up = run.number not in needs
        changed = ["needs_bytes", "forecast_given_up", "expected_seconds"]
        Run.objects.bulk_update(runs, changed, batch_size=1000)
        messages = [(run.pk, run.queue) for run in runs]
        transaction.on_commit(lambda: wake(messages))
