"""Pairs of choices that cannot work together, refused when the experiment is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.spec.errors import FieldError, SpecError

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment

MOST_INNER_STEPS = 10**9
"""Inner steps of one estimator's run: more is a slip of the keyboard, not an experiment."""


def refuse_impossible_pairs(experiment: Experiment) -> None:
    """Raise `SpecError` with every impossible pair of `experiment`."""
    errors = [*_errors_of_the_whole(experiment)]
    if not experiment.inner_task.has_inner_loss:
        errors += _errors_of_a_dynamical_system(experiment)
    if any(error.path.startswith("meta_parameters") for error in errors):
        # Estimators ask how many entries θ has, which only a θ that is possible can say.
        raise SpecError(errors)
    for index, estimator in enumerate(experiment.estimators):
        path = f"estimators.{index}"
        if estimator.needs_stationary_point and not experiment.inner_task.has_inner_loss:
            message = (
                f"{experiment.inner_task.kind!r} has no inner loss, so no stationary point of it; "
                "allowed: an estimator that follows the inner steps"
            )
            errors.append(FieldError(f"{path}.kind", estimator.kind, message))
        else:
            errors += estimator.refusals(experiment, path)
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
        if kind in kinds[:index]:
            yield FieldError(
                f"meta_parameters.{index}.kind",
                kind,
                "each kind of meta-parameter may appear once",
            )
    yield from experiment.inner_task.refusals(experiment)
    for index, item in enumerate(experiment.meta_parameters):
        path = f"meta_parameters.{index}"
        yield from _errors_of_its_slot(experiment, index)
        yield from item.refusals(experiment, path)
    if experiment.inner.proximal and "initialisation" not in kinds:
        yield FieldError(
            "inner.proximal",
            experiment.inner.proximal,
            "ties the learner to learned initial parameters, and none are learned; "
            "allowed: 0, or 'initialisation' among the meta-parameters",
        )
    enumerated = any(item.draws_choices for item in experiment.meta_parameters)
    if experiment.probes.oracle and not (experiment.inner_task.differentiable or enumerated):
        yield FieldError(
            "probes.oracle",
            True,
            "this meta-loss has no gradient, so there is no oracle; allowed: false",
        )


def _errors_of_its_slot(experiment: Experiment, index: int) -> Iterator[FieldError]:
    """What takes the place of all that its slot holds leaves nothing for another to change."""
    item = experiment.meta_parameters[index]
    for other in experiment.meta_parameters[:index]:
        same = other.slot == item.slot and other.kind != item.kind
        if same and (item.replaces or other.replaces):
            whole = item if item.replaces else other
            yield FieldError(
                f"meta_parameters.{index}.kind",
                item.kind,
                f"{whole.kind!r} fills the slot {item.slot!r} by itself; allowed: one of "
                f"{other.kind!r} and {item.kind!r}",
            )


def _errors_of_a_dynamical_system(experiment: Experiment) -> Iterator[FieldError]:
    """The inner optimizer has nothing to minimise, and θ is what the transition reads."""
    task, optimizer = experiment.inner_task, experiment.inner.optimizer
    if optimizer.kind != "sgd":
        yield FieldError(
            "inner.optimizer.kind",
            optimizer.kind,
            f"{task.kind!r} has no inner loss to minimise, so it moves by itself; allowed: 'sgd', "
            "of which it reads the learning rate at most",
        )
    if optimizer.weight_decay:
        yield FieldError(
            "inner.optimizer.weight_decay",
            optimizer.weight_decay,
            f"{task.kind!r} has no inner loss to which a penalty belongs; allowed: 0",
        )
    if experiment.inner.proximal:
        yield FieldError(
            "inner.proximal",
            experiment.inner.proximal,
            f"{task.kind!r} has no inner loss to which a proximal term belongs; allowed: 0",
        )
    kinds = [item.kind for item in experiment.meta_parameters]
    provided = [name for item in experiment.meta_parameters for name in item.provides]
    for index, kind in enumerate(kinds):
        given = {kind, *experiment.meta_parameters[index].provides}
        if given.isdisjoint(task.reads):
            yield FieldError(
                f"meta_parameters.{index}.kind",
                kind,
                f"{task.kind!r} moves by itself and does not depend on it; "
                f"allowed: {', '.join(task.reads)}",
            )
    for name in task.reads:
        if name not in (*kinds, *provided, "initialisation") and not hasattr(optimizer, name):
            yield FieldError(
                "meta_parameters",
                kinds,
                f"{task.kind!r} reads {name!r}, and only a meta-parameter gives it; "
                f"allowed: {name} among them",
            )
