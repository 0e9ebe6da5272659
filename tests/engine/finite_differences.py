"""Meta-gradients against central finite differences, and against each other, in float64."""

from typing import Any

import pytest
import torch

from engine import estimate, trees
from engine.building import build_problem
from engine.problem import Learner, Problem
from engine.spec import validate
from tests.engine.settled import Settled
from tests.engine.slopes import slope

STEP = 1e-5
STATIONARY_STEP = 1e-4
"""Where the stationary point is found anew at every θ."""
EXACT = (
    {"kind": "unrolled", "storage": "checkpoint"},
    {"kind": "truncated", "mode": "windows", "window": 4},
    {"kind": "forward_mode", "chunk": 64},
)
MIXED = {
    "kind": "unrolled",
    "segment": 2,
    "products": "forward_over_reverse",
    "save_gradients": True,
}
TASKS: dict[str, dict[str, Any]] = {
    "quadratic": {"kind": "quadratic", "dimension": 4, "noise": 0.3},
    "mlp": {
        "kind": "image_mlp", "hidden": [3], "activation": "tanh", "batch_size": 6,
        "train_examples": 40, "validation_examples": 20,
    },
}  # fmt: skip
"""Inner tasks of a few parameters, smooth: relu defeats finite differences."""


def built(
    task: str | dict, *meta_parameters: dict, optimizer: dict | None = None, **changes
) -> Any:
    """A problem of 4 inner steps in float64; every step has a meta-loss."""
    return build_problem(
        validate(
            {
                "inner_task": TASKS[task] if isinstance(task, str) else task,
                "inner": {"steps": 4, "optimizer": optimizer or {"kind": "sgd"}},
                "meta_parameters": list(meta_parameters),
                "objective": "average",
                "precision": "float64",
                "device": "cpu",
                **changes,
            }
        )
    )


def assert_exact(problem: Problem, meta: dict | None = None, *, least: float = 1e-5) -> None:
    """Central differences along two directions, then every exact estimator; `least` is how long
    the meta-gradient must be, so that nothing passes by being zero."""
    meta = problem.initial_meta(0) if meta is None else meta
    unrolled = estimate(problem, {"kind": "unrolled", "storage": "full"}, meta)
    gradient = trees.flat(unrolled.gradient)
    size = gradient.norm()
    assert size > least
    random = torch.randn(
        len(gradient), generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    for direction in (gradient, random):
        unit = direction / direction.norm()
        assert abs(slope(problem, meta, unit, STEP) - gradient @ unit) < 1e-5 * size
    for spec in (*EXACT, *([MIXED] if isinstance(problem, Learner) else [])):
        other = estimate(problem, spec, meta)
        assert (trees.flat(other.gradient) - gradient).norm() < 1e-8 * size, spec
        assert other.meta_loss == pytest.approx(unrolled.meta_loss, rel=1e-12), spec


def assert_implicit_is_exact(problem: Problem, *, least: float = 1e-5) -> None:
    """At the stationary point of the inner loss: a central difference along the gradient, which
    must be longer than `least`."""
    settled = Settled(problem)
    meta = settled.initial_meta(0)
    found = estimate(settled, {"kind": "implicit", "solver": "exact"}, meta)
    gradient = trees.flat(found.gradient)
    size = gradient.norm()
    assert size > least
    assert abs(slope(settled, meta, gradient / size, STATIONARY_STEP) - size) < 1e-5 * size
