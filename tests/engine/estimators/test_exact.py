"""Every exact estimator against the closed form of the quadratic, in float64."""

import pytest
import torch

from engine import estimate, trees
from engine.building import build_problem
from engine.estimators import Unrolled
from engine.spec import validate
from tests.engine.problems import EVERY_HYPER_PARAMETER, quadratic

EXACT = [
    {"kind": "unrolled", "storage": "full"},
    {"kind": "unrolled", "storage": "per_step"},
    {"kind": "unrolled", "storage": "checkpoint"},
    {"kind": "unrolled", "storage": "checkpoint", "segment": 7},
    {"kind": "truncated", "mode": "last_k", "window": 25},
    {"kind": "truncated", "mode": "windows", "window": 25},
    {"kind": "forward_mode", "chunk": 5},
]
GRANULAR = [
    {"kind": kind, "granularity": granularity, "initial": 0.05, "scale": scale}
    for kind in ("learning_rate", "weight_decay")
    for granularity in ("scalar", "per_tensor", "per_parameter", "per_step")
    for scale in ("linear", "log")
    if (kind, granularity) != ("weight_decay", "per_step")
]


def relative_error(estimated: dict, exact: dict) -> float:
    difference = trees.flat(estimated) - trees.flat(exact)
    return float(difference.norm() / trees.flat(exact).norm())


@pytest.mark.parametrize("estimator", EXACT, ids=str)
@pytest.mark.parametrize("objective", ["final", "average"])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_all_meta_parameters_at_once(estimator: dict, objective: str, noise: float) -> None:
    problem = quadratic(
        *EVERY_HYPER_PARAMETER, optimizer={"kind": "momentum"}, objective=objective, noise=noise
    )
    meta = problem.initial_meta(3)
    exact_loss, exact = problem.exact(meta, 3)
    found = estimate(problem, estimator, meta, seed=3)
    assert found.meta_loss == pytest.approx(exact_loss, rel=1e-12)
    assert relative_error(found.gradient, exact) < 1e-9
    assert found.gradient.keys() == meta.keys()
    assert all(found.gradient[name].shape == leaf.shape for name, leaf in meta.items())


@pytest.mark.parametrize("meta_parameter", GRANULAR, ids=str)
def test_every_granularity(meta_parameter: dict) -> None:
    problem = quadratic(meta_parameter, noise=0.1)
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "unrolled"}, meta)
    assert relative_error(found.gradient, problem.exact(meta, 0)[1]) < 1e-9


def test_closed_form_against_the_geometric_series() -> None:
    """Without noise w_T = w* + r^T (w_0 − w*) with r = 1 − α(h + λ), and so dw_T/dα by hand."""
    rate, decay, steps = 0.3, 0.2, 25
    problem = quadratic(optimizer={"kind": "sgd", "learning_rate": rate, "weight_decay": decay})
    meta = problem.initial_meta(5)
    task = problem.task
    start = task.initial_params(5)["w"]
    stiffness = task.curvature + decay
    fixed_point = task.curvature * task.optimum / stiffness
    ratio = 1.0 - rate * stiffness
    final = fixed_point + ratio**steps * (start - fixed_point)
    by_rate = -stiffness * steps * ratio ** (steps - 1) * (start - fixed_point)
    expected = float(((final - task.validation_optimum) * by_rate).sum())
    loss, gradient = problem.exact(meta, 5)
    judged = task.validation_loss({"w": final}, torch.tensor(5))
    assert loss == pytest.approx(float(judged), rel=1e-12)
    assert float(gradient["learning_rate"]) == pytest.approx(expected, rel=1e-11)


def test_truncation_bias_in_closed_form() -> None:
    """The last K of T steps see dw_T/dα as if the trajectory had begun at w_{T−K}."""
    rate, steps, window = 0.3, 25, 4
    problem = quadratic(optimizer={"kind": "sgd", "learning_rate": rate})
    meta = problem.initial_meta(1)
    task = problem.task
    ratio = 1.0 - rate * task.curvature
    start = task.initial_params(1)["w"]
    cut = task.optimum + ratio ** (steps - window) * (start - task.optimum)
    final = task.optimum + ratio**steps * (start - task.optimum)
    by_rate = -task.curvature * window * ratio ** (window - 1) * (cut - task.optimum)
    expected = float(((final - task.validation_optimum) * by_rate).sum())
    found = estimate(problem, {"kind": "truncated", "window": window}, meta, seed=1)
    assert float(found.gradient["learning_rate"]) == pytest.approx(expected, rel=1e-11)


def test_windows_sum_the_gradients_of_the_slices() -> None:
    """Each slice is an inner loop of its own that starts where the one before it ended."""
    problem = quadratic({"kind": "initialisation"}, objective="average", steps=12)
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "truncated", "mode": "windows", "window": 4}, meta)
    task, rate = problem.task, 0.1
    ratio = 1.0 - rate * task.curvature
    start = meta["initialisation.w"]
    expected = torch.zeros_like(start)
    for t in range(1, 5):  # only the first slice starts at θ
        w = task.optimum + ratio**t * (start - task.optimum)
        expected += ratio**t * (w - task.validation_optimum) / 12
    torch.testing.assert_close(found.gradient["initialisation.w"], expected, rtol=1e-11, atol=0)


def test_inner_steps_are_counted_with_their_replays() -> None:
    problem = quadratic(steps=16)
    meta = problem.initial_meta(0)
    full = estimate(problem, Unrolled(storage="full"), meta).cost
    checkpointed = estimate(problem, Unrolled(storage="checkpoint", segment=4), meta).cost
    assert (full.inner_steps, full.hessian_vector_products) == (16, 16)
    assert checkpointed.inner_steps == 16 + 12  # the last segment of 4 is run once
    assert estimate(problem, Unrolled(storage="per_step"), meta).cost.inner_steps == 16 + 15


def test_one_step_graph_at_a_time_leaves_the_states() -> None:
    """With a large step graph beside a small state, `per_step` needs the least memory of all."""
    document = {
        "inner_task": {"kind": "image_mlp", "hidden": [8], "batch_size": 256},
        "inner": {"steps": 36},
    }
    problem = build_problem(validate(document))
    meta = problem.initial_meta(0)
    full, segments, shrinking, per_step = (
        estimate(problem, Unrolled(**storage), meta).cost.peak_bytes
        for storage in (
            {"storage": "full"}, {"segment": 6}, {}, {"storage": "per_step"},
        )
    )  # fmt: skip
    assert per_step <= shrinking < segments / 1.5 < full / 3


def test_a_window_longer_than_the_horizon_is_refused() -> None:
    problem = quadratic(steps=5)
    with pytest.raises(ValueError, match="window: 6 is longer than the horizon; at most 5"):
        estimate(problem, {"kind": "truncated", "window": 6}, problem.initial_meta(0))
