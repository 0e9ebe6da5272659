"""Seconds that runs still take: what was forecast, and more and more their own pace."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.utils import timezone

from webapp.forecasts.answers import Answer
from webapp.forecasts.models import LaunchForecast
from webapp.runs.models import ENDS, Run


@dataclass(frozen=True)
class Seconds:
    """An expected duration with the ends of its 90 % interval."""

    expected: float
    low: float
    high: float

    def __add__(self, other: Self) -> Seconds:
        """Of one after the other; both may be at the same end of their interval together."""
        return Seconds(self.expected + other.expected, self.low + other.low, self.high + other.high)

    def __truediv__(self, share: float) -> Seconds:
        return Seconds(self.expected / share, self.low / share, self.high / share)


NONE = Seconds(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Remaining:
    """What several runs still take, one after the other."""

    seconds: Seconds
    unknown: int
    """Runs of which nobody knows, counted with nothing."""


def remaining_of(run: Run, forecast: Seconds | None, now: datetime | None = None) -> Seconds | None:
    """What `run` still takes; nothing where neither forecast nor pace is known.

    With a share f of the outer steps done, in e seconds, the logarithm of the whole duration is
    taken as f log(e / f) + (1 − f) log(forecast), and its interval as the forecast's, closing as
    1 − f: what was forecast gives way to what is seen.
    """
    if run.has_ended:
        return NONE
    worked = run.seconds_worked(now or timezone.now())
    if worked is None:
        return forecast
    elapsed = max(worked, 1e-3)
    done = run.step / run.total_steps
    if forecast is None:
        if not done:
            return None
        left = elapsed / done * (1.0 - done)
        return Seconds(left, left, left)
    if not done:
        ends = (forecast.expected, forecast.low, forecast.high)
        return Seconds(*(max(end - elapsed, 0.0) for end in ends))
    pace = math.log(elapsed / done)
    whole = math.exp(done * pace + (1.0 - done) * math.log(forecast.expected))
    spread = [(end / forecast.expected) ** (1.0 - done) for end in (forecast.low, forecast.high)]
    left = whole * (1.0 - done)
    return Seconds(left, left * spread[0], left * spread[1])


def remaining_of_all(
    runs: Iterable[Run], said: Mapping[int, Seconds], now: datetime | None = None
) -> Remaining:
    """Of those of `runs` that have not ended; `said` is by run what it was said to take."""
    active = [run for run in runs if run.status not in ENDS]
    total, unknown = NONE, 0
    for run in active:
        left = remaining_of(run, said.get(run.pk), now)
        total, unknown = (total, unknown + 1) if left is None else (total + left, unknown)
    return Remaining(total, unknown)


def forecasts_of(runs: Iterable[Run]) -> dict[int, Seconds]:
    """By run, what it was said to take at its launch."""
    runs = list(runs)
    experiments = {run.experiment_id for run in runs}
    kept = LaunchForecast.objects.filter(experiment__in=experiments)
    by_number = {
        row.experiment_id: seconds_by_number(Answer.model_validate(row.answer)) for row in kept
    }
    found = ((run.pk, by_number.get(run.experiment_id, {}).get(run.number)) for run in runs)
    return {pk: seconds for pk, seconds in found if seconds is not None}


def seconds_by_number(answer: Answer) -> dict[int, Seconds]:
    """What every run of the experiment takes, by its number; without those of unknown duration."""
    return {
        number: Seconds(
            item.forecast.seconds, item.forecast.seconds_low, item.forecast.seconds_high
        )
        for item in answer.configurations
        if item.forecast.seconds is not None
        for number in item.runs
    }
