"""The largest horizon, window, particle count or batch that still fits. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from engine.forecast.fit import fit
from engine.forecast.records import EstimatorForecast, Machine
from engine.spec.editing import edited, value_at
from engine.spec.errors import SpecError
from engine.spec.experiment import Experiment
from engine.spec.validation import validate

Forecaster = Callable[[Experiment], EstimatorForecast]
"""Forecasts an experiment of one estimator."""

OF_ESTIMATORS = (
    "window", "interval", "particles", "population", "samples", "random_directions", "chunk",
)  # fmt: skip


class Size(NamedTuple):
    """A whole number of the spec that memory may grow with: its values are `least`,
    `least + unit`, … up to `most`."""

    path: str
    least: int
    most: int
    unit: int


def sizes(experiment: Experiment) -> Iterator[Size]:
    """Those of an experiment of one estimator: its horizon, its batches, its estimator's own."""
    yield _size("inner.steps", type(experiment.inner).model_fields["steps"])
    yield _size("outer.meta_batch", type(experiment.outer).model_fields["meta_batch"])
    task = experiment.inner_task
    if getattr(task, "batch_size", None) is not None:
        size = _size("inner_task.batch_size", type(task).model_fields["batch_size"])
        examples = getattr(task, "training_examples", size.most)
        yield size._replace(most=min(size.most, examples))
    [estimator] = experiment.estimators
    for name in OF_ESTIMATORS:
        if getattr(estimator, name, None) is None:
            continue
        size = _size(f"estimators.0.{name}", type(estimator).model_fields[name])
        if name in estimator.lengths:
            size = size._replace(most=experiment.inner.steps)
        if name == "population":
            # The elites are among the population.
            size = size._replace(least=max(size.least, getattr(estimator, "elites", 0)))
        yield size


def largest_that_fits(
    experiment: Experiment, size: Size, forecast: Forecaster, machine: Machine
) -> int | None:
    """The largest value of `size` with which `experiment` is allowed and fits `machine` (not
    tightly); nothing where the least does not. Memory must not fall as the size grows."""
    document = experiment.model_dump(mode="json")

    def fits(value: int) -> bool:
        try:
            changed = validate(edited(document, with_size(experiment, size.path, value)))
        except SpecError:
            return False
        return fit(forecast(changed), machine, experiment.budget.bytes).verdict == "fits"

    now = value_at(document, size.path)
    return largest(fits, size.least, size.most, size.unit, start=now)


def with_size(experiment: Experiment, path: str, value: int) -> dict[str, Any]:
    """Edits that give the size at `path` a value; a shorter horizon cuts windows to it."""
    edits: dict[str, Any] = {path: value}
    if path == "inner.steps":
        [estimator] = experiment.estimators
        for name in estimator.lengths:
            length = getattr(estimator, name)
            if length is not None and length > value:
                edits[f"estimators.0.{name}"] = value
    return edits


def largest(
    fits: Callable[[int], bool], least: int, most: int, unit: int = 1, start: int = 0
) -> int | None:
    """The largest of `least`, `least + unit`, … to `most` that `fits`; nothing where `least` does
    not. By doubling from `start` and then bisection: `fits` is asked about 2 log₂ times, but once
    where `most` fits, as all examples in one batch often do. What fits must fit when it is smaller.
    """
    units = (most - least) // unit
    if fits(least + units * unit):
        return least + units * unit
    if not fits(least):
        return None
    low, high = 0, units
    probe = max((start - least) // unit, 1)
    while probe < high and fits(least + probe * unit):
        low, probe = probe, 2 * probe
    high = min(high, probe)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(least + middle * unit) else (low, middle)
    return least + low * unit


def _size(path: str, field: FieldInfo) -> Size:
    """The bounds that the schema gives."""
    bounds: dict[str, int] = {"multiple_of": 1}
    for constraint in field.metadata:
        for name in ("ge", "le", "multiple_of"):
            if (value := getattr(constraint, name, None)) is not None:
                bounds[name] = value
    return Size(path, bounds["ge"], bounds["le"], bounds["multiple_of"])
