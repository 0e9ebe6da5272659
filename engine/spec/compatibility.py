"""Pairs of choices that cannot work together, refused when the experiment is built."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.spec.errors import FieldError, SpecError

if TYPE_CHECKING:
    from engine.spec.estimators import AnyEstimator
    from engine.spec.experiment import Experiment

MOST_INNER_STEPS = 10**9
"""Inner steps of one estimator's run: more is a slip of the keyboard, not an experiment."""


def refuse_impossible_pairs(experiment: Experiment) -> None:
    """Raise `SpecError` with every impossible pair of `experiment`."""
    errors = [*_errors_of_the_whole(experiment)]
    for index, estimator in enumerate(experiment.estimators):
        errors += _errors_of_estimator(experiment, estimator, f"estimators.{index}")
    if errors:
        raise SpecError(errors)


def _errors_of_the_whole(experiment: Experiment) -> Iterator[FieldError]:
    total = experiment.inner.steps * experiment.outer.steps * experiment.outer.meta_batch
    if total > MOST_INNER_STEPS:
        yield FieldError(
            "inner.steps",
            experiment.inner.steps,
            f"inner.steps × outer.steps × outer.meta_batch is {total:.3g}; "
            f"at most {MOST_INNER_STEPS:.0e} inner steps are allowed",
        )
    kinds = [item.kind for item in experiment.meta_parameters]
    for index, kind in enumerate(kinds):
        path = f"meta_parameters.{index}.kind"
        if kind in kinds[:index]:
            yield FieldError(path, kind, "each kind of meta-parameter may appear once")
        if kind == "momentum" and experiment.inner.optimizer.kind != "momentum":
            yield FieldError(
                path,
                kind,
                "momentum can be learned only where inner.optimizer.kind is 'momentum', "
                f"not {experiment.inner.optimizer.kind!r}",
            )
    for index, item in enumerate(experiment.meta_parameters):
        if getattr(item, "scale", "linear") == "log" and not _initial_value(experiment, item):
            yield FieldError(
                f"meta_parameters.{index}.scale",
                "log",
                "a value learned through its logarithm must start above 0; "
                f"give meta_parameters.{index}.initial",
            )
    if experiment.probes.oracle and not experiment.inner_task.differentiable:
        yield FieldError(
            "probes.oracle",
            True,
            "this meta-loss has no gradient, so there is no oracle; allowed: false",
        )


def _initial_value(experiment: Experiment, item) -> float:
    return item.initial or getattr(experiment.inner.optimizer, item.kind)


def _errors_of_estimator(
    experiment: Experiment, estimator: AnyEstimator, path: str
) -> Iterator[FieldError]:
    horizon = experiment.inner.steps
    for name in ("window", "longest_window", "segment"):
        length = getattr(estimator, name, None)
        if length is not None and length > horizon:
            yield FieldError(
                f"{path}.{name}", length, f"allowed: 1 to the horizon, inner.steps = {horizon}"
            )
    if estimator.differentiates and not experiment.inner_task.differentiable:
        yield FieldError(
            f"{path}.kind",
            estimator.kind,
            "this estimator differentiates the meta-loss, and accuracy has no gradient; "
            "allowed: evolution, a search, or inner_task.meta_loss 'cross_entropy'",
        )
    if getattr(estimator, "online", False) and experiment.objective == "final":
        yield FieldError(
            f"{path}.online",
            True,
            "every slice needs a loss of its own; allowed: false, or objective 'average'",
        )
    if estimator.needs_stationary_point:
        yield from _errors_of_implicit(experiment, estimator, path)
    if estimator.proposes:
        yield from _errors_of_search(experiment, estimator, path)
    if estimator.only_initialisation:
        for item in experiment.meta_parameters:
            if item.kind != "initialisation":
                yield FieldError(
                    f"{path}.kind",
                    estimator.kind,
                    f"cannot learn {item.kind!r}: it follows the initial parameters only; "
                    "allowed meta-parameters: initialisation",
                )
    if estimator.kind == "forward_mode":
        count = experiment.meta_parameter_count()
        if count > estimator.most_tangents:
            yield FieldError(
                f"{path}.kind",
                estimator.kind,
                f"forward mode carries one tangent for each of the {count:,} meta-parameters; "
                f"at most {estimator.most_tangents:,} are allowed; use unrolled with checkpoints",
            )


def _errors_of_search(
    experiment: Experiment, estimator: AnyEstimator, path: str
) -> Iterator[FieldError]:
    count = experiment.meta_parameter_count()
    most = getattr(estimator, "most_dimensions", None)
    if most is not None and count > most:
        yield FieldError(
            f"{path}.kind",
            estimator.kind,
            f"this search can model at most {most:,} meta-parameters, and there are {count:,}; "
            "allowed: fewer meta-parameters, elites, or an estimator of the meta-gradient",
        )
    if estimator.kind != "grid":
        return
    if count * math.log(estimator.points) > math.log(estimator.most_points) + 1e-9:
        yield FieldError(
            f"{path}.points",
            estimator.points,
            f"a grid of {estimator.points:,} values for each of {count:,} meta-parameters has "
            f"more than the {estimator.most_points:,} points allowed; use random",
        )
        return
    generations = math.ceil(estimator.points**count / estimator.population)
    if experiment.outer.steps > generations:
        yield FieldError(
            "outer.steps",
            experiment.outer.steps,
            f"{path} is used up after {generations:,} generations of {estimator.population:,}; "
            f"allowed: 1 to {generations:,}, or more points, or a smaller population",
        )


def _errors_of_implicit(
    experiment: Experiment, estimator: AnyEstimator, path: str
) -> Iterator[FieldError]:
    if experiment.objective != "final":
        yield FieldError(
            f"{path}.kind",
            estimator.kind,
            "implicit differentiation sees only the final state; allowed: objective 'final'",
        )
    shapes = experiment.inner_task.parameter_shapes()
    entries = sum(math.prod(shape) for shape in shapes.values())
    if estimator.solver == "exact" and entries > estimator.most_entries:
        yield FieldError(
            f"{path}.solver",
            "exact",
            f"the Hessian of {entries:,} inner parameters is too large to write out; at most "
            f"{estimator.most_entries:,} are allowed; use normal_cg",
        )
    for item in experiment.meta_parameters:
        if not item.in_inner_loss:
            yield FieldError(
                f"{path}.kind",
                estimator.kind,
                f"cannot learn {item.kind!r}: {item.outside_inner_loss}; "
                "allowed meta-parameters: weight_decay",
            )
