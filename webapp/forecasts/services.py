"""What a draft will need, asked of the forecast worker, and a launch refused that will not fit."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

import engine.spec
from engine.forecast.fit import readable
from engine.spec import FieldError, SpecError
from engine.version import code_version
from webapp import questions
from webapp.forecasts.answers import Answer, Configuration
from webapp.forecasts.machines import machines_for
from webapp.forecasts.models import Forecast, LaunchForecast
from webapp.forecasts.outlook import Outlook
from webapp.runs.wake import send
from webapp.workers.selectors import of_queue, queue_for

if TYPE_CHECKING:
    from webapp.experiments.models import Experiment

ANSWER = "forecasts.answer"
QUEUE = "forecast"
LOOKS_APART = timedelta(seconds=1)
"""At least, of those that are kept."""
FORGOTTEN_AFTER = timedelta(seconds=5)
"""A form that has not looked for so long is closed, or its experiment launched."""
LAUNCH_SECONDS = 2.0
"""How long a launch waits for an answer that is on its way."""
FORM_SECONDS = 0.06
"""How long the answer to an edit waits for it: with a spec that was traced it comes along."""
PANEL_SECONDS = 1.0
"""How long a panel's request waits for it: one request then takes the place of many."""
LOOK_EVERY, LOOK_FOR_MORE_EVERY = 0.015, 0.1
"""Seconds, for an answer and for what is added to it."""
NOTHING = Outlook("", "unknown", {})
"""Of what is no experiment yet."""
MOST_NAMED = 3
"""Fixes in the sentence of a refusal."""


DEVICES = {"gpu": "cuda", "cpu": "cpu"}
"""What the workers of each queue compute on."""


def on_its_device(experiment: engine.spec.Experiment) -> engine.spec.Experiment:
    """`experiment` with the device that `auto` means for the workers that live now."""
    return experiment.model_copy(update={"device": DEVICES[queue_for(experiment.device)]})


def key_of(experiment: engine.spec.Experiment) -> str:
    """A digest of everything that the answer depends on; which seeds it has is no part of it."""
    content = [
        experiment.model_dump(mode="json", exclude={"name", "seeds"}),
        len(experiment.seeds),
        [machine.model_dump() for machine in _machines(experiment)],
        code_version(),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def ask(experiment: engine.spec.Experiment, draft: str = "") -> Outlook:
    """What is known of `experiment`; the forecast worker is asked for what is not.

    `draft` names the open form that asks: what it asked before and nobody has begun is dropped.
    """
    experiment = on_its_device(experiment)
    key = key_of(experiment)
    spec = experiment.model_dump(mode="json")
    looked_at = timezone.now() if draft else None
    questions.ask(Forecast, {key: spec}, task=ANSWER, queue=QUEUE, draft=draft, looked_at=looked_at)
    if draft:
        superseded = Forecast.objects.filter(draft=draft, begun_at=None).exclude(key=key)
        superseded.filter(answer__isnull=True).delete()
        _go_on(key, draft)
    looked(key)
    return outlook_for(key)


def look_up(experiment: engine.spec.Experiment) -> Outlook:
    """What is known of `experiment`; nobody is asked."""
    return outlook_for(key_of(on_its_device(experiment)))


def _go_on(key: str, draft: str) -> None:
    """Have the rest of the answer to `key` looked for where it was left: the form that had asked
    went on to something else, and this one has come to it."""
    left = Forecast.objects.filter(key=key, complete=False, answered_at__isnull=False).first()
    if left and (left.draft != draft or is_superseded(left)):
        Forecast.objects.filter(key=key).update(draft=draft, asked_at=timezone.now())
        take_up_later(key, after=0.0)


def outlook_for(key: str) -> Outlook:
    return Outlook.of(key, Forecast.objects.filter(key=key).first())


def waited_for(
    key: str, seconds: float, *, enough: Callable[[Outlook], bool] = lambda outlook: False
) -> Outlook:
    """What is known of the question `key` once that is `enough`, or nothing more can come, or
    `seconds` have passed."""
    ends = time.monotonic() + seconds
    outlook = outlook_for(key)
    while outlook.is_open and not enough(outlook) and time.monotonic() < ends:
        time.sleep(LOOK_FOR_MORE_EVERY if outlook.answer else LOOK_EVERY)
        outlook = outlook_for(key)
    return outlook


def has_answer(outlook: Outlook, seen: str = "") -> bool:
    """Also one that may still grow, but that has since it was `seen`; what a worker that is silent
    will say cannot be awaited."""
    has_grown = outlook.answer is not None and outlook.stamp != seen
    return has_grown or outlook.state == "silent"


def answer(key: str, found: Answer, *, complete: bool) -> None:
    """Keep what the forecast worker found so far for the question `key`."""
    Forecast.objects.filter(key=key).update(
        answer=found.model_dump(mode="json"),
        complete=complete,
        error="",
        answered_at=timezone.now(),
    )


def looked(key: str) -> None:
    """A form that is still open waits for the rest of the answer to `key`."""
    Forecast.objects.filter(
        key=key, looked_at__lt=timezone.now() - LOOKS_APART, complete=False
    ).update(looked_at=timezone.now())


def is_superseded(question: Forecast) -> bool:
    """Whether the form that asked has asked for something else since."""
    if not question.draft:
        return False
    later = Forecast.objects.filter(draft=question.draft, asked_at__gt=question.asked_at)
    return later.exists()


def is_wanted(question: Forecast) -> bool:
    """Whether the form that asked is open, and has not asked for something else since."""
    if not question.draft:
        return True
    is_open = Forecast.objects.filter(
        key=question.key, looked_at__gt=timezone.now() - FORGOTTEN_AFTER
    )
    return is_open.exists() and not is_superseded(question)


def take_up_later(key: str, *, after: float) -> None:
    """Put what is missing of the answer to `key` behind the questions that wait, or that come
    within `after` seconds."""
    Forecast.objects.filter(key=key).update(begun_at=None)
    send(ANSWER, [key], queue=QUEUE, expires=questions.STALE.total_seconds(), countdown=after)


def worker_is_there() -> bool:
    return bool(of_queue(QUEUE))


def asked_and_waited_for(
    experiment: engine.spec.Experiment,
    seconds: float,
    *,
    enough: Callable[[Outlook], bool] = lambda outlook: not outlook.is_open,
) -> Outlook:
    """`ask`, and for up to `seconds` a look whether the answer is `enough`; no wait where no
    forecast worker lives."""
    outlook = ask(experiment)
    return waited_for(outlook.key, seconds if worker_is_there() else 0.0, enough=enough)


def before_launch(experiment: engine.spec.Experiment, *, insist: bool) -> Answer | None:
    """The answer with which `experiment` is launched, nothing where there is none in time.

    Raises `SpecError`, with what would fit, for each estimator that fits no worker, unless its
    owner insists.
    """
    answer = asked_and_waited_for(experiment, LAUNCH_SECONDS, enough=_fits).answer
    if answer is None or insist or not answer.misfits:
        return answer
    raise SpecError([_refusal(experiment, item) for item in answer.misfits])


def _fits(outlook: Outlook) -> bool:
    """Whether it is known that all of it fits: what would make it fit need not be awaited."""
    return outlook.answer is not None and not outlook.answer.misfits


def keep(experiment: Experiment, answer: Answer, *, insisted: bool) -> None:
    """What had been said of `experiment` at its launch."""
    LaunchForecast.objects.create(
        experiment=experiment,
        answer=answer.model_dump(mode="json"),
        insisted=insisted and bool(answer.misfits),
    )


def _refusal(experiment: engine.spec.Experiment, item: Configuration) -> FieldError:
    fit = max(item.fits, key=lambda fit: fit.limit_bytes)
    where = "the budget of the spec" if fit.limit == "budget" else fit.machine
    point = f" at {', '.join(f'{k} = {v}' for k, v in item.sweep.items())}" if item.sweep else ""
    ways = "; or ".join(fix.sentence for fix in item.fixes[:MOST_NAMED])
    return FieldError(
        f"estimators.{item.position}",
        experiment.estimators[item.position].kind,
        f"will not fit{point}: it needs {readable(fit.needed_bytes)}, and {where} has "
        f"{readable(fit.limit_bytes)}" + (f"; what fits: {ways}" if ways else ""),
    )


def _machines(experiment: engine.spec.Experiment) -> list:
    return machines_for(queue_for(experiment.device))
