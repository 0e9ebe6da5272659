"""Forecasts beside what runs do: memory measured over forecast, and what remains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from webapp.exports.numbers import format_share, format_value
from webapp.forecasts.answers import Answer
from webapp.forecasts.durations import interval, rounded
from webapp.forecasts.models import LaunchForecast, Prediction
from webapp.forecasts.remaining import (
    Seconds,
    remaining_of,
    remaining_of_all,
    seconds_by_number,
)
from webapp.runs.models import Run


@dataclass(frozen=True)
class RunForecast:
    """In words; what is not known is empty."""

    run: Run
    remaining: str
    memory: str
    """Measured peak of an estimate, of the forecast one."""
    share: str
    seconds: str
    """What the whole run was said to take."""

    @property
    def is_empty(self) -> bool:
        return not (self.remaining or self.memory or self.seconds)


def of_run(run: Run) -> RunForecast:
    """By its worker, or as far as that has not said anything, at the launch; two queries."""
    row = Prediction.objects.filter(run=run).first()
    kept = LaunchForecast.objects.filter(experiment=run.experiment_id).first()
    launch = Answer.model_validate(kept.answer) if kept else Answer(machines=[], configurations=[])
    said = next((item for item in launch.configurations if run.number in item.runs), None)
    seconds = _seconds(row) or seconds_by_number(launch).get(run.number)
    left = remaining_of(run, seconds)
    peak = (row and row.peak_bytes) or (said and said.forecast.peak_bytes)
    measured = run.figures.get("peak_bytes")
    memory, share = "", ""
    if peak:
        memory = format_value(float(peak), "B")
        if measured:
            memory = f"{format_value(measured, 'B')} of {memory}"
            share = format_share(measured / peak)
    return RunForecast(
        run=run,
        remaining=_words(left) if left and not run.has_ended else "",
        memory=memory,
        share=share,
        seconds=interval(seconds) if seconds else "",
    )


@dataclass(frozen=True)
class ExperimentForecast:
    remaining: str
    """One run after the other; empty where all have ended or nothing is known."""
    unknown: int
    insisted: bool


def of_experiment(experiment_id: int, runs: Iterable[Run]) -> ExperimentForecast:
    """Of those of its `runs` that have not ended; one query."""
    kept = LaunchForecast.objects.filter(experiment=experiment_id).first()
    by_number = seconds_by_number(Answer.model_validate(kept.answer)) if kept else {}
    said = {run.pk: by_number[run.number] for run in runs if run.number in by_number}
    left = remaining_of_all(runs, said)
    known = _words(left.seconds) if left.seconds.high else ""
    return ExperimentForecast(known, left.unknown, bool(kept and kept.insisted))


def _words(left: Seconds) -> str:
    """Without a range where only the run's own pace is known: it says nothing of one."""
    return interval(left) if left.low < left.high else f"about {rounded(left.expected)}"


def _seconds(row: Prediction | None) -> Seconds | None:
    if row is None or row.seconds is None:
        return None
    return Seconds(row.seconds, row.seconds_low, row.seconds_high)
