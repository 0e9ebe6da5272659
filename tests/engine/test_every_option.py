"""Every choice that a meta-parameter offers, every inner optimizer and both objectives.

On each: the meta-gradient matches central finite differences of the meta-loss, and backward and
forward mode agree. Adam's ε is large, so that finite differences are accurate: near zero gradients,
Adam with a small ε is a step function.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
import torch

from engine import estimate, trees
from engine.building import build_problem
from engine.spec import SpecError, validate
from engine.spec.installed import INNER_TASKS, META_PARAMETERS
from engine.support import support
from tests.engine.pairs import assert_slopes
from tests.engine.slopes import meta_loss

OPTIMIZERS = {
    "sgd": {"kind": "sgd", "weight_decay": 0.03},
    "momentum": {"kind": "momentum", "momentum": 0.7, "weight_decay": 0.03},
    "adam": {"kind": "adam", "epsilon": 0.05, "weight_decay": 0.03},
}


def allowed(document: dict[str, Any]) -> bool:
    try:
        validate(document)
    except SpecError:
        return False
    return True


def choices() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every other value of each choice of a meta-parameter, on the first inner task that can learn
    it; and with every optimizer and both objectives on the quadratic."""
    for kind, model in META_PARAMETERS.items():
        cells = [support(task, kind, "unrolled") for task in INNER_TASKS]
        cells = [cell for cell in cells if cell.allowed]
        if not cells:
            continue
        document = cells[0].document
        [learned, *others] = document["meta_parameters"]
        for name, field in model.model_fields.items():
            values = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
            for value in values:
                changed = {**learned, name: value}
                if name != "kind" and changed != learned and value != field.default:
                    yield f"{kind} {value}", {**document, "meta_parameters": [changed, *others]}
        if cells[0].inner_task != "quadratic":
            continue
        for optimizer, options in OPTIMIZERS.items():
            inner = {**document["inner"], "optimizer": options}
            yield f"{kind} {optimizer}", {**document, "inner": inner, "objective": "average"}


EVERY = {name: document for name, document in choices() if allowed(document)}


@pytest.mark.parametrize("name", EVERY)
def test_the_meta_gradient_is_right(name: str) -> None:
    torch.set_num_threads(1)
    problem = build_problem(validate(EVERY[name]))
    meta = problem.initial_meta(0)
    unrolled = estimate(problem, {"kind": "unrolled"}, meta)
    assert unrolled.meta_loss == pytest.approx(meta_loss(problem, meta), rel=1e-12)
    assert_slopes(lambda theta: meta_loss(problem, theta), meta, unrolled.gradient)
    forward = trees.flat(estimate(problem, {"kind": "forward_mode"}, meta).gradient)
    exact = trees.flat(unrolled.gradient)
    assert (forward - exact).norm() < 1e-8 * exact.norm()


def test_every_optimizer_and_scale_is_among_them() -> None:
    assert {f"learning_rate {name}" for name in OPTIMIZERS} <= EVERY.keys()
    assert {
        "learning_rate per_step",
        "learning_rate log",
        "weight_decay per_tensor",
    } <= EVERY.keys()
