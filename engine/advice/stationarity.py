"""How near the end of the inner loop is to a stationary point of the inner loss, by what the spec
says: the premise of implicit differentiation. Free of torch."""

from __future__ import annotations

from typing import Literal

from engine.spec.experiment import Experiment

Stationarity = Literal["reached", "in doubt", "noisy", "unknown", "none"]

NEAR = 0.05
"""Share of the way that may be left. Biases of the implicit gradient as measured in
docs/results/advice-evidence.json: 0.007 with 0.049 left, 0.07 with 0.29, 0.35 with 0.73."""


def stationarity(experiment: Experiment) -> Stationarity:
    """`reached` is a bound, and so is certain; `in doubt`: the bound leaves more than `NEAR`;
    `noisy`: minibatches move the stationary point at every step; `none`: no inner loss."""
    if not experiment.inner_task.has_inner_loss:
        return "none"
    if has_stochastic_inner_loss(experiment):
        return "noisy"
    left = way_left(experiment)
    if left is None:
        return "unknown"
    return "reached" if left <= NEAR else "in doubt"


def has_stochastic_inner_loss(experiment: Experiment) -> bool:
    """Whether two inner steps see different losses: minibatches, or noise on the gradient."""
    task = experiment.inner_task
    batch = getattr(task, "batch_size", None)
    examples = getattr(task, "training_examples", None)
    drawn = batch is not None and not (examples is not None and batch >= examples)
    return drawn or getattr(task, "noise", 0.0) > 0.0


def way_left(experiment: Experiment) -> float | None:
    """Share of the distance to the stationary point that is left at most after T steps of gradient
    descent on an inner loss of strong convexity μ: (1 − αμ)^T. Nothing where the inner loss is not
    known to be convex, or moves by another rule.

    μ is the curvature of the penalties, weight decay and proximal, and of a quadratic itself.
    """
    optimizer = experiment.inner.optimizer
    rules = {"optimizer"} & {item.slot for item in experiment.meta_parameters if item.replaces}
    if not is_convex(experiment) or optimizer.kind == "adam" or rules:
        return None
    curvature = _value(experiment, "weight_decay", optimizer.weight_decay)
    curvature += experiment.inner.proximal
    if experiment.inner_task.kind == "quadratic":
        curvature += 1.0 / experiment.inner_task.condition_number
    rate = _value(experiment, "learning_rate", optimizer.learning_rate)
    rate /= 1.0 - getattr(optimizer, "momentum", 0.0)
    return (1.0 - min(rate * curvature, 1.0)) ** experiment.inner.steps


def is_convex(experiment: Experiment) -> bool:
    """Whether the inner loss is known to be convex in what the inner loop moves: a quadratic, and
    cross-entropy of a layer that is linear in it."""
    task = experiment.inner_task
    items = experiment.meta_parameters
    if any(item.kind == "learned_loss" for item in items):
        return False
    last = any(getattr(item, "adapts", "all") == "last_layer" for item in items)
    return task.kind == "quadratic" or (task.kind == "image_mlp" and not task.hidden) or last


def _value(experiment: Experiment, kind: str, fixed: float) -> float:
    """Of a hyper-parameter: where it starts if it is learned, else what the optimizer says."""
    for item in experiment.meta_parameters:
        if item.kind == kind and getattr(item, "initial", None) is not None:
            return item.initial
    return fixed
