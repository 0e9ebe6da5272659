"""The smooth L1 penalty: exact through every estimator, and at the stationary point by hand."""

import pytest
import torch

from engine import estimate
from tests.engine.finite_differences import TASKS, assert_exact, built

SMOOTHING = 0.1


def penalty(**options) -> dict:
    return {"kind": "l1_penalty", "initial": 0.05, "smoothing": SMOOTHING, **options}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"granularity": "per_tensor"},
        {"granularity": "per_parameter"},
        {"granularity": "per_parameter", "scale": "log"},
    ],
    ids=str,
)
def test_every_exact_estimator_equals_finite_differences(task: str, options: dict) -> None:
    decay = {"kind": "weight_decay", "initial": 0.02}
    assert_exact(built(task, penalty(**options), decay, optimizer={"kind": "momentum"}))


def test_a_step_follows_the_gradient_of_the_inner_loss() -> None:
    optimizer = {"kind": "sgd", "learning_rate": 1.0, "weight_decay": 0.3}
    penalties = (penalty(granularity="per_tensor"), {"kind": "weight_decay"})
    problem = built("mlp", *penalties, optimizer=optimizer)
    meta = problem.initial_meta(0)
    state = problem.initial_state(meta, 0)
    problem.task.batch_size = None
    after = problem.eager_step(state, meta, 0)["params"]
    by_loss = torch.func.grad(problem.inner_loss)(state["params"], meta)
    for name, w in state["params"].items():
        torch.testing.assert_close(w - after[name], by_loss[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_implicit_gradient_is_the_closed_form_on_the_quadratic(scale: str) -> None:
    """h (w − c) + λ w/√(w² + ε²) = 0, so dw/dλ = −(w/r) / (h + λ ε²/r³) with r = √(w² + ε²)."""
    problem = built(
        {"kind": "quadratic", "dimension": 5, "condition_number": 5.0},
        penalty(granularity="per_parameter", scale=scale, initial=0.3),
        optimizer={"kind": "sgd", "learning_rate": 0.2},
        inner={"steps": 800, "optimizer": {"kind": "sgd", "learning_rate": 0.2}},
        objective="final",
    )
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "implicit", "solver": "exact"}, meta)
    assert found.health.inner_gradient_norm < 1e-12

    w = problem.final_params(meta, 0)["w"]
    h, target, rate = problem.task.curvature, problem.task.validation_optimum, 0.3
    r = torch.sqrt(w**2 + SMOOTHING**2)
    assert (h * (w - problem.task.optimum) + rate * w / r).abs().max() < 1e-12
    slope = -(w / r) / (h + rate * SMOOTHING**2 / r**3)
    expected = (w - target) * slope * (rate if scale == "log" else 1.0)
    torch.testing.assert_close(found.gradient["l1_penalty.w"], expected, rtol=1e-9, atol=1e-12)
