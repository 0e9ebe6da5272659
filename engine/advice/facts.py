"""What is known of a problem and of the runs like it, on which advice rests. Free of torch."""

from __future__ import annotations

from math import prod

from engine.advice.stationarity import (
    Stationarity,
    has_stochastic_inner_loss,
    stationarity,
    way_left,
)
from engine.forecast.records import Record
from engine.spec.experiment import Experiment


class Past(Record):
    """What finished runs of one estimator came to on problems like this one: means over runs."""

    runs: int
    failed: int = 0
    """Of the runs, those that failed or left their budget."""
    bias: float | None = None
    """Relative to the norm of the exact meta-gradient."""
    variance: float | None = None
    """Relative to its squared norm."""
    step_seconds: float | None = None
    meta_loss: float | None = None
    """At the last outer step, of the very same problem alone: losses of others do not compare."""
    meta_loss_error: float | None = None
    """Its standard error over the runs."""


class History(Record):
    """The lab's runs like the problem at hand."""

    by_label: dict[str, Past] = {}
    """By the label of the estimator, which tells its options."""
    gradient_norm: float | None = None
    """The largest norm of an exact meta-gradient among them; infinite where one was not finite."""


class Facts(Record):
    """Of the problem alone: whatever the estimator."""

    meta_parameters: int
    """dim θ."""
    inner_parameters: int
    horizon: int
    average: bool
    """Whether the meta-loss is an average over the inner steps."""
    differentiable: bool
    draws_choices: bool
    stochastic: bool
    """Whether two inner steps see different losses."""
    stationarity: Stationarity
    way_left: float | None
    gradient_norm: float | None
    """The largest norm of an exact meta-gradient that the lab's runs like this met."""


def facts_of(experiment: Experiment, history: History | None = None) -> Facts:
    shapes = experiment.inner_parameter_shapes().values()
    return Facts(
        meta_parameters=experiment.meta_parameter_count(),
        inner_parameters=sum(prod(shape) for shape in shapes),
        horizon=experiment.inner.steps,
        average=experiment.objective == "average",
        differentiable=experiment.inner_task.differentiable,
        draws_choices=any(item.draws_choices for item in experiment.meta_parameters),
        stochastic=has_stochastic_inner_loss(experiment),
        stationarity=stationarity(experiment),
        way_left=way_left(experiment),
        gradient_norm=history.gradient_norm if history else None,
    )
