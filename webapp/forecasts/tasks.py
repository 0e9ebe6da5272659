"""What the forecast worker does: answers questions, one at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import celeryd_after_setup, worker_process_init
from django.utils import timezone

from engine.forecast import Calibration, EstimatorForecast
from engine.spec import Experiment, validate
from webapp import questions
from webapp.forecasts import late, predictions, services
from webapp.forecasts.answering import answers
from webapp.forecasts.answers import Answer
from webapp.forecasts.machines import calibrations_for
from webapp.forecasts.models import Forecast
from webapp.runs.explanations import explain
from webapp.runs.wake import messages_waiting
from webapp.workers.selectors import queue_for

WANTED_EVERY = 0.03
"""Seconds between two looks whether the same form has asked for something else."""
TURN_SECONDS = 0.5
"""Of what goes beyond the needs, before it gives way to a question that waits."""

SOFT_SECONDS = 45.0
"""Then an answer is left as it is; a process that does not hear of it is ended a little later."""
TOO_SLOW = f"Tracing this spec takes longer than {SOFT_SECONDS:g} s."
QUIET_SECONDS = 1.0
"""After an edit, before fixes, advice and sizes are looked for."""
SMALLEST = {
    "inner_task": {"kind": "quadratic", "dimension": 1},
    "inner": {"steps": 4},
    "device": "cpu",
}

_queues: set[str] = set()
log = logging.getLogger(__name__)


@shared_task(
    name=services.ANSWER,
    soft_time_limit=SOFT_SECONDS,
    time_limit=questions.LONGEST.total_seconds(),
)
def answer(key: str) -> None:
    """Answer the question `key`, unless somebody else does or it is asked no more."""
    spec = questions.begin(Forecast, key)
    if spec is None:
        return
    row = Forecast.objects.filter(key=key)
    known: Answer | None = None
    try:
        experiment = validate(spec)
        calibrations = calibrations_for(queue_for(experiment.device))
        question = row.get()
        wanted = _wanted(question)
        # A question that is asked anew begins anew; one whose turn had ended has been answered.
        known = Answer.model_validate(question.answer) if question.answered_at else None
        if known is not None and not services.is_wanted(question):
            return
        growing = answers(
            experiment,
            calibrations,
            forecaster=forecaster,
            wanted=wanted,
            superseded=_superseded(question),
            free=_free(),
            known=known,
        )
        complete, later = False, 0.0
        for found, complete in growing:
            services.answer(key, found, complete=complete)
            if known is None:
                known = found
                late.fill_in()
                if question.draft:
                    # Whoever still types finds the worker free.
                    later = QUIET_SECONDS
                    break
        if not complete and wanted():
            services.take_up_later(key, after=later)
        elif not complete:
            # Left before there was anything: whoever wants it after all asks anew.
            row.filter(answer__isnull=True).delete()
    except SoftTimeLimitExceeded:
        # What is there already is the answer.
        slow = "" if row.filter(answer__isnull=False).exists() else TOO_SLOW
        row.update(error=slow, complete=True, lasting=not slow, answered_at=timezone.now())
        late.fill_in()
    except Exception as error:
        # About this worker or an estimator that defeats every way to forecast it: say so, go on.
        # What every run needs stays said where only the rest of the answer fails.
        if known is not None:
            log.exception("The rest of the forecast %s could not be found.", key)
        said = explain(error) if known is None else ""
        row.update(error=said, complete=True, lasting=False, answered_at=timezone.now())
        late.fill_in()


@shared_task(name=predictions.PREDICT, time_limit=questions.LONGEST.total_seconds())
def predict(run_id: str) -> None:
    """Say what a run will take; one that defeats every way to forecast it goes without."""
    try:
        predictions.predict(int(run_id))
    except Exception:
        log.exception("Run %s could not be predicted.", run_id)


@celeryd_after_setup.connect
def remember_queues(instance: Any, **_: object) -> None:
    """In the parent, before its pool is made."""
    _queues.update(instance.app.amqp.queues.consume_from)


@worker_process_init.connect
def warm_up(**_: object) -> None:
    """Trace the smallest experiment, so that the first real one finds what tracing imports."""
    if services.QUEUE in _queues:
        import torch

        # What is traced with values is small: several threads would only wait for each other.
        torch.set_num_threads(1)
        forecaster(None)(validate(SMALLEST))


def forecaster(calibration: Calibration | None) -> Callable[[Experiment], EstimatorForecast]:
    """The engine's forecast of an experiment of one estimator, for one machine."""
    # Imported here: web processes read this module too, and must stay free of torch.
    from engine.forecast.forecasting import forecast

    def one(experiment: Experiment) -> EstimatorForecast:
        [found] = forecast(experiment, calibration)
        return found

    return one


def _wanted(question: Forecast) -> Callable[[], bool]:
    """Whether the form that asked is open, and has not asked for something else since."""
    return _now_and_then(WANTED_EVERY, True, lambda: services.is_wanted(question))


def _superseded(question: Forecast) -> Callable[[], bool]:
    """Whether it has asked for something else."""
    return _now_and_then(WANTED_EVERY, False, lambda: services.is_superseded(question))


def _free() -> Callable[[], bool]:
    """Whether no other message waits for this worker."""
    return _now_and_then(TURN_SECONDS, True, lambda: messages_waiting(services.QUEUE) == 0)


def _now_and_then(seconds: float, first: bool, question: Callable[[], bool]) -> Callable[[], bool]:
    """`question`, taken for `first` at first, and asked at most once in so many `seconds`."""
    looked_at, answer = time.monotonic(), first

    def last() -> bool:
        nonlocal looked_at, answer
        if time.monotonic() - looked_at > seconds:
            answer, looked_at = question(), time.monotonic()
        return answer

    return last
