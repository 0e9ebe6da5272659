"""The lab's finished runs like a problem at hand, as the plain facts that advice rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, median, stdev
from typing import Any

import numpy as np

from engine.advice.facts import History, Past
from engine.spec import Experiment, SpecError, validate
from webapp.runs.models import Run, Status
from webapp.runs.selectors import series

LOOKED_AT = 200
"""The newest runs that are weighed: more would say little more, and take longer to read."""
ALIKE = 2.0
"""Runs are alike where horizon and number of meta-parameters differ by no more than this factor."""
ENDED = (Status.FINISHED, Status.FAILED, Status.OUT_OF_BUDGET)
PROBED = ("bias_relative", "variance_relative", "gradient_norm")
PROBLEM = ("inner_task", "inner", "meta_parameters", "objective", "outer", "precision")
"""Fields that make two runs' meta-losses comparable: all but the estimator and the seed."""


def history_of(experiment: Experiment) -> History:
    """What runs like `experiment` came to, by estimator: of the same kinds of inner task and
    meta-parameters and the same objective, with about its horizon and number of meta-parameters.

    Two queries, whatever the number of runs.
    """
    alike = [(run, spec) for run in _candidates(experiment) if (spec := _if_alike(run, experiment))]
    measured = series([run.pk for run, _ in alike], names=PROBED)
    by_label: dict[str, list[tuple[Run, Experiment]]] = {}
    norms: list[float] = []
    for run, spec in alike:
        [estimator] = spec.estimators
        by_label.setdefault(estimator.label, []).append((run, spec))
        if estimator.exact:
            norms += map(_finite, _values(measured, run, "gradient_norm"))
    past = {label: _past(found, measured, experiment) for label, found in by_label.items()}
    return History(by_label=past, gradient_norm=max(norms, default=None))


def _candidates(experiment: Experiment) -> Sequence[Run]:
    steps = experiment.inner.steps
    return Run.objects.filter(
        status__in=ENDED,
        spec__inner_task__kind=experiment.inner_task.kind,
        spec__objective=experiment.objective,
        spec__inner__steps__gte=math.ceil(steps / ALIKE),
        spec__inner__steps__lte=math.floor(steps * ALIKE),
    ).order_by("-finished_at")[:LOOKED_AT]


def _if_alike(run: Run, experiment: Experiment) -> Experiment | None:
    """The spec of `run` where it is like `experiment`; a spec of former rules is like none."""
    try:
        spec = validate(run.spec)
    except SpecError:
        return None
    if _learned(spec) != _learned(experiment):
        return None
    counts = sorted((spec.meta_parameter_count(), experiment.meta_parameter_count()))
    return spec if counts[1] <= ALIKE * counts[0] else None


def _learned(experiment: Experiment) -> set[str]:
    return {item.kind for item in experiment.meta_parameters}


def _past(
    found: list[tuple[Run, Experiment]], measured: dict[int, Any], experiment: Experiment
) -> Past:
    """Means over the runs; of the probes of a run the median, as the relative bias of a last
    probe, where the gradient has vanished, says nothing."""
    finished = [(run, spec) for run, spec in found if run.status == Status.FINISHED]
    losses = [
        _finite(run.figures["meta_loss"])
        for run, spec in finished
        if run.figures.get("meta_loss") is not None and _problem(spec) == _problem(experiment)
    ]
    certain = len(losses) > 1 and all(map(math.isfinite, losses))
    return Past(
        runs=len(found),
        failed=len(found) - len(finished),
        bias=_mean_of_medians(finished, measured, "bias_relative"),
        variance=_mean_of_medians(finished, measured, "variance_relative"),
        step_seconds=_mean([run.figures.get("step_seconds") for run, _ in finished]),
        meta_loss=_mean(losses),
        meta_loss_error=stdev(losses) / len(losses) ** 0.5 if certain else None,
    )


def _problem(experiment: Experiment) -> dict[str, Any]:
    return experiment.model_dump(mode="json", include=set(PROBLEM))


def _values(measured: dict[int, Any], run: Run, name: str) -> np.ndarray:
    found = measured.get(run.pk, {}).get(name)
    return np.array([]) if found is None else found[1]


def _mean_of_medians(
    found: list[tuple[Run, Experiment]], measured: dict[int, Any], name: str
) -> float | None:
    medians = [
        median(map(_finite, values))
        for run, _ in found
        if len(values := _values(measured, run, name))
    ]
    return _mean(medians)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def _finite(value: float) -> float:
    """Infinite where it is not a number, which is as bad."""
    return math.inf if math.isnan(value) else float(value)
