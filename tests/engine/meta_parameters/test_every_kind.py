"""What holds of every meta-parameter: its size is what its spec says, and hooks keep an order."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from engine import estimate
from engine.building import build_problem
from engine.gradient_step import GradientStep
from engine.spec import validate
from engine.support import support_matrix
from tests.engine.finite_differences import built

FIRST = {
    (cell.inner_task, cell.meta_parameter): cell.document
    for cell in reversed(support_matrix())
    if cell.allowed
}
"""A small experiment of every inner task with every meta-parameter that it can learn."""
MLP = {
    "kind": "image_mlp", "hidden": [3], "activation": "tanh", "batch_size": 6,
    "train_examples": 40, "validation_examples": 20,
}  # fmt: skip
DISTILLED = {"kind": "distilled_images"}
AUGMENTED = {"kind": "augmentation_magnitudes", "transforms": "intensity", "initial": 0.3}


def assert_as_its_spec_says(document: dict) -> None:
    experiment = validate({**document, "inner": {**document["inner"], "program": "eager"}})
    problem = build_problem(experiment)
    meta = problem.initial_meta(0)
    assert sum(leaf.numel() for leaf in meta.values()) == experiment.meta_parameter_count()
    moved = {name: tuple(w.shape) for name, w in problem.initial_state(meta, 0)["params"].items()}
    for name, shape in experiment.inner_parameter_shapes().items():
        assert moved[name] == tuple(shape)


@pytest.mark.parametrize("task", dict.fromkeys(task for task, _ in FIRST))
def test_theta_has_as_many_entries_as_its_spec_says(task: str) -> None:
    for (kind, _), document in FIRST.items():
        if kind == task:
            assert_as_its_spec_says(document)


@pytest.mark.parametrize("adapts", ["all", "last_layer"])
@pytest.mark.parametrize(
    "item",
    [
        {"kind": "learning_rate", "granularity": "per_parameter"},
        {"kind": "weight_decay", "granularity": "per_tensor", "initial": 0.1},
        {"kind": "learning_rate", "granularity": "per_step"},
        {"kind": "l1_penalty", "granularity": "per_parameter"},
    ],
    ids=lambda item: item["granularity"],
)
def test_one_for_each_is_one_for_each_that_the_inner_loop_moves(item: dict, adapts: str) -> None:
    start = {"kind": "initialisation", "adapts": adapts}
    inner = {"steps": 4}
    assert_as_its_spec_says({"inner_task": MLP, "inner": inner, "meta_parameters": [item, start]})


def test_augmentation_changes_learned_images_in_whatever_order_they_are_named() -> None:
    eager = {"steps": 3, "program": "eager"}
    first, second = (
        built(MLP, *items, inner=eager)
        for items in ((AUGMENTED, DISTILLED), (DISTILLED, AUGMENTED))
    )
    meta = first.initial_meta(0)
    found = estimate(first, {"kind": "unrolled"}, meta).gradient
    for name, slope in estimate(second, {"kind": "unrolled"}, meta).gradient.items():
        assert slope.norm() > 0.0
        assert torch.equal(found[name], slope)


@pytest.mark.parametrize(
    ("item", "odds"),
    [
        ({"kind": "label_smoothing", "initial": 0.5}, True),
        ({"kind": "label_smoothing", "granularity": "per_class_pair"}, False),
        ({"kind": "example_weights"}, False),
        ({"kind": "beta1"}, True),
        ({"kind": "epsilon"}, False),
    ],
    ids=str,
)
def test_logits_are_logarithms_and_those_of_odds_are_told_apart(item: dict, odds: bool) -> None:
    """Population-based training would never move a logit of 0 by multiplying it."""
    problem = built(MLP, item, optimizer={"kind": "adam"})
    names = list(problem.initial_meta(0))
    assert problem.logarithmic() == names
    assert problem.odds() == (names if odds else [])
    plain = built(MLP, {"kind": "example_weights", "through": "softplus"})
    assert plain.logarithmic() == plain.odds() == []


def test_a_learner_on_another_task_has_the_gradients_of_that_task() -> None:
    problem = built(MLP, {"kind": "learning_rate"})
    meta = problem.initial_meta(0)
    state = problem.initial_state(meta, 0)
    direction = {name: torch.ones_like(w) for name, w in state["params"].items()}
    problem.inner_gradient(state, meta, 0)  # recorded, with the data of its task
    problem.inner_products(state, meta, 0, direction)

    task = copy.copy(problem.task)
    task.train = replace(task.train, inputs=2.0 * task.train.inputs + 1.0)
    other = problem.with_task(task)
    expected = GradientStep.inner_gradient(other, state, meta, 0)
    for name, g in other.inner_gradient(state, meta, 0).items():
        torch.testing.assert_close(g, expected[name], rtol=1e-12, atol=1e-12)
    products = GradientStep.inner_products(other, state, meta, 0, direction)
    for found, exact in zip(other.inner_products(state, meta, 0, direction), products, strict=True):
        if exact is not None:
            torch.testing.assert_close(found, exact, rtol=1e-12, atol=1e-12)
