"""What the forecast worker does with a question: first what every run needs, then what would make
it fit, advice, and the largest sizes that fit.

Each stage is kept as soon as it is there, so a page shows memory and time while the rest is on its
way; who asks something else meanwhile has the rest left undone. The rest gives way to every other
question, and is taken up again after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import engine.spec
from engine.advice.advice import advise
from engine.forecast import Calibration, EstimatorForecast, Machine
from engine.forecast.fit import fit
from engine.forecast.fixes import fixes
from engine.forecast.interrupting import Interrupted, interruptible
from engine.forecast.largest import Forecaster, Size, largest_that_fits, sizes
from engine.spec import PlannedRun, expand
from engine.spec.editing import edited, value_at
from webapp.forecasts.answers import Answer, Configuration, Largest
from webapp.forecasts.disk import disk_bytes
from webapp.forecasts.history import history_of

SECONDS = 30.0
"""After this long what is still missing is left out."""
MOST_LOOKED_INTO = 12
"""Configurations whose largest sizes and fixes are found; a sweep may have hundreds."""


class OutOfTime(Exception):
    """The rest is left out."""


def answers(
    experiment: engine.spec.Experiment,
    calibrations: list[Calibration],
    *,
    forecaster: Callable[[Calibration | None], Forecaster],
    wanted: Callable[[], bool],
    superseded: Callable[[], bool] = lambda: False,
    free: Callable[[], bool] = lambda: True,
    known: Answer | None = None,
) -> Iterator[tuple[Answer, bool]]:
    """The answer as it grows, each time with whether it is complete.

    `forecaster` gives the forecast of an experiment of one estimator for a machine. Once it is
    `superseded` nothing more is looked for, and there may be no answer at all; nothing beyond the
    needs once it is not `wanted`, or the worker is not `free`.
    `known` is the answer as far as an earlier call came.
    """
    forecast = forecaster(calibrations[0] if calibrations else None)
    machines = [calibration.machine for calibration in calibrations]
    answer = known
    if answer is None:
        needed = _within(SECONDS, forecast, lambda: not superseded())
        answer = _needs(experiment, machines, needed)
        if not answer.configurations and superseded():
            return
        yield answer, False

    def goes_on() -> bool:
        return wanted() and free()

    forecast = _within(SECONDS, forecast, goes_on)
    try:
        for grown in _looked_into(experiment, answer, machines[:1], forecast):
            answer = grown
            yield answer, False
    except OutOfTime:
        pass
    if goes_on():
        yield answer, True


def _needs(
    experiment: engine.spec.Experiment, machines: list[Machine], forecast: Forecaster
) -> Answer:
    configurations: list[Configuration] = []
    grouped = _configurations(experiment)
    for runs in grouped:
        first = runs[0]
        try:
            found = forecast(first.spec)
        except OutOfTime:
            break
        configurations.append(
            Configuration(
                position=_position(experiment, first),
                label=first.label,
                sweep=first.sweep,
                runs=[run.index for run in runs],
                forecast=found,
                disk_bytes=disk_bytes(first.spec),
                fits=[fit(found, machine, experiment.budget.bytes) for machine in machines],
            )
        )
    left_out = len(grouped) - len(configurations)
    return Answer(machines=machines, configurations=configurations, left_out=left_out)


def _configurations(experiment: engine.spec.Experiment) -> list[list[PlannedRun]]:
    """Runs that differ by their seed alone, together."""
    found: dict[str, list[PlannedRun]] = {}
    for run in expand(experiment):
        found.setdefault(run.configuration, []).append(run)
    return list(found.values())


def _position(experiment: engine.spec.Experiment, run: PlannedRun) -> int:
    """Of the run's estimator among those of `experiment`."""
    swept = edited(experiment.model_dump(mode="json"), run.sweep)["estimators"]
    [own] = run.spec.model_dump(mode="json")["estimators"]
    return next((index for index, options in enumerate(swept) if options == own), 0)


def _looked_into(
    experiment: engine.spec.Experiment,
    answer: Answer,
    machines: list[Machine],
    forecast: Forecaster,
) -> Iterator[Answer]:
    """`answer` as it grows: first what makes fit what does not, then advice, then the largest
    sizes; those of batches last, for each is traced anew."""
    for index, item in enumerate(answer.configurations[:MOST_LOOKED_INTO]):
        for machine in machines if item.verdict != "fits" and not item.fixes else []:
            point = _point(experiment, item)
            found = fixes(point, item.forecast, forecast, machine, item.position)
            answer = _with(answer, index, fixes=found)
            yield answer
    if answer.advice is None:
        answer = _advised(experiment, answer, machines, forecast)
        yield answer
    for batches in (False, True):
        for index, item in enumerate(answer.configurations[:MOST_LOOKED_INTO]):
            point = _point(experiment, item)
            single = point.model_copy(update={"estimators": [point.estimators[item.position]]})
            for machine in machines:
                for size in sizes(single):
                    if ("batch" in size.path) == batches and not _has(item, size):
                        answer = _with_largest(answer, index, single, size, machine, forecast)
                        yield answer


def _with_largest(
    answer: Answer,
    index: int,
    single: engine.spec.Experiment,
    size: Size,
    machine: Machine,
    forecast: Forecaster,
) -> Answer:
    item = answer.configurations[index]
    found = Largest(
        path=_path_of(item, size),
        now=value_at(single.model_dump(mode="json"), size.path),
        value=largest_that_fits(single, size, forecast, machine),
    )
    return _with(answer, index, largest=[*item.largest, found])


def _path_of(item: Configuration, size: Size) -> str:
    """Of `size`, which is that of an experiment with the item's estimator alone, in the spec."""
    return size.path.replace("estimators.0", f"estimators.{item.position}", 1)


def _has(item: Configuration, size: Size) -> bool:
    return _path_of(item, size) in [found.path for found in item.largest]


def _with(answer: Answer, index: int, **changes: Any) -> Answer:
    """`answer` with `changes` to one of its configurations."""
    known = list(answer.configurations)
    known[index] = known[index].model_copy(update=changes)
    return answer.model_copy(update={"configurations": known})


def _point(experiment: engine.spec.Experiment, item: Configuration) -> engine.spec.Experiment:
    """`experiment` at the point of the sweep that `item` is at."""
    document = edited(experiment.model_dump(mode="json"), item.sweep)
    return engine.spec.validate(document | {"sweep": {}})


def _advised(
    experiment: engine.spec.Experiment,
    answer: Answer,
    machines: list[Machine],
    forecast: Forecaster,
) -> Answer:
    """`answer` with the advice for the spec's own values."""

    def known(single: engine.spec.Experiment) -> EstimatorForecast | None:
        try:
            return forecast(single)
        except OutOfTime:
            raise
        except Exception:
            # What cannot be forecast here, or in time, is judged by the rules that need none.
            return None

    advice = advise(
        experiment,
        forecast=known,
        machine=machines[0] if machines else None,
        history=history_of(experiment),
    )
    return answer.model_copy(update={"advice": advice.model_dump(mode="json")})


def _within(seconds: float, forecast: Forecaster, wanted: Callable[[], bool]) -> Forecaster:
    """`forecast`, which raises `OutOfTime` after `seconds`, or in the middle of a trace where
    nobody wants it any more."""
    ends = time.monotonic() + seconds

    def timely(experiment: engine.spec.Experiment) -> EstimatorForecast:
        if time.monotonic() > ends or not wanted():
            raise OutOfTime
        try:
            with interruptible(wanted):
                return forecast(experiment)
        except Interrupted:
            raise OutOfTime from None

    return timely
