"""A forecast as the API answers with it: that of `python -m engine forecast --json`, and on top of
it every point of the sweep, where each fits, what makes it fit, and advice."""

from __future__ import annotations

from typing import Any

from engine.forecast import EstimatorForecast, Machine
from engine.forecast.fit import Fit, Verdict
from engine.forecast.fixes import Fix
from engine.forecast.records import Record
from engine.spec import validate
from webapp.forecasts.answers import Configuration, Largest
from webapp.forecasts.outlook import Outlook
from webapp.forecasts.remaining import Seconds
from webapp.forecasts.totals import Totals, totals_of
from webapp.workers.selectors import queue_for


class EstimatorDocument(EstimatorForecast):
    """An estimator at one point of the sweep; the figures are those of one run."""

    inner_steps: float
    fits: bool | None
    """Nothing where no worker is there."""
    verdict: Verdict | None
    position: int
    sweep: dict[str, Any]
    runs: int
    """Its seeds."""
    disk_bytes: float
    machines: list[Fit]
    largest: list[Largest]
    fixes: list[Fix]


class IntervalDocument(Record):
    """Seconds, with the ends of their 90 % interval."""

    expected: float
    low: float
    high: float


class TotalsDocument(Record):
    """Of all runs, on the workers that live now."""

    runs: int
    seconds: IntervalDocument | None
    wait: IntervalDocument | None
    """Until the first run begins; nothing where no worker is there."""
    waiting_unknown: int
    """Runs before it of which nobody knows how long they take."""
    run_bytes: int
    disk_bytes: float


class ForecastDocument(Record):
    complete: bool
    """False while largest sizes, fixes and advice are still looked for: ask again."""
    machine: Machine | None
    """Whose seconds these are."""
    machines: list[Machine]
    estimators: list[EstimatorDocument]
    left_out: int
    """Points of the sweep that there was no time for."""
    totals: TotalsDocument
    advice: dict[str, Any] | None


def document_of(outlook: Outlook) -> ForecastDocument:
    """The document of an outlook that has an answer."""
    answer = outlook.answer
    assert answer is not None
    device = validate(outlook.spec).device
    return ForecastDocument(
        complete=outlook.complete,
        machine=answer.machines[0] if answer.machines else None,
        machines=answer.machines,
        estimators=[_estimator(item) for item in answer.configurations],
        left_out=answer.left_out,
        totals=_totals(totals_of(answer, queue_for(device))),
        advice=answer.advice,
    )


def _estimator(item: Configuration) -> EstimatorDocument:
    return EstimatorDocument(
        **item.forecast.model_dump(),
        inner_steps=item.forecast.run.inner_steps,
        fits=item.verdict and item.verdict != "will not fit",
        verdict=item.verdict,
        position=item.position,
        sweep=item.sweep,
        runs=len(item.runs),
        disk_bytes=item.disk_bytes,
        machines=item.fits,
        largest=item.largest,
        fixes=item.fixes,
    )


def _totals(totals: Totals) -> TotalsDocument:
    waiting = totals.wait
    return TotalsDocument(
        runs=totals.runs,
        seconds=_interval(totals.seconds),
        wait=_interval(waiting and waiting.seconds),
        waiting_unknown=waiting.unknown if waiting else 0,
        run_bytes=totals.run_bytes,
        disk_bytes=totals.disk_bytes,
    )


def _interval(seconds: Seconds | None) -> IntervalDocument | None:
    if seconds is None:
        return None
    return IntervalDocument(expected=seconds.expected, low=seconds.low, high=seconds.high)
