"""Forward-over-reverse products, saved inner gradients, offloading: what they change."""

import pytest
import torch
from torch.autograd.function import once_differentiable

from engine import estimate, trees
from engine.building import build_problem
from engine.gradient_step import GradientStep
from engine.spec import validate
from engine.spec.estimators import Truncated, Unrolled
from engine.testing_problems import Recurrence, Ridge

MIXED = {"products": "forward_over_reverse"}


def perceptron(*, batch_size: int = 64, steps: int = 7):
    document = {
        "inner_task": {
            "kind": "image_mlp", "hidden": [32], "activation": "tanh", "batch_size": batch_size,
        },
        "inner": {"steps": steps, "optimizer": {"kind": "momentum", "weight_decay": 0.01}},
        "meta_parameters": [{"kind": "learning_rate"}, {"kind": "initialisation"}],
        "precision": "float64",
        "device": "cpu",
    }  # fmt: skip
    return build_problem(validate(document))


@pytest.fixture(autouse=True)
def one_thread():
    """Tensors this small are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def problem():
    return perceptron()


def same(first, second) -> bool:
    return first.meta_loss == second.meta_loss and all(
        torch.equal(first.gradient[name], second.gradient[name]) for name in first.gradient
    )


def test_a_step_is_the_update_by_its_inner_gradient_to_the_last_bit(problem) -> None:
    meta = problem.initial_meta(0)
    state = problem.initial_state(meta, 0)
    for t in range(3):
        gradients = problem.inner_gradient(state, meta, t)
        parts = trees.Split(problem.updated(state, gradients, meta, t)).leaves
        state = problem.step(state, meta, t)
        assert all(torch.equal(a, b) for a, b in zip(trees.Split(state).leaves, parts, strict=True))


def test_mixed_mode_keeps_no_graph_of_an_inner_gradient() -> None:
    """On a large batch, whose activations are most of a step's graph."""
    problem = perceptron(batch_size=1024)
    meta = problem.initial_meta(0)
    twice = estimate(problem, {"kind": "unrolled", "storage": "full"}, meta)
    mixed = estimate(problem, {"kind": "unrolled", "storage": "full", **MIXED}, meta)
    assert mixed.cost.peak_bytes < twice.cost.peak_bytes / 3
    torch.testing.assert_close(mixed.gradient, twice.gradient, rtol=1e-9, atol=1e-13)
    assert mixed.meta_loss == pytest.approx(twice.meta_loss, rel=1e-12)


def test_saved_gradients_change_no_bit_and_are_not_taken_again(problem) -> None:
    meta = problem.initial_meta(0)
    spec = {"kind": "unrolled", "segment": 3, **MIXED}
    again = estimate(problem, spec, meta)
    saved = estimate(problem, {**spec, "save_gradients": True}, meta)
    assert same(again, saved)
    assert again.cost.gradient_evaluations == again.cost.inner_steps == 7 + 6
    assert saved.cost.gradient_evaluations == 7
    assert saved.cost.inner_steps == 7 + 6


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "unrolled", "storage": "full"},
        {"kind": "unrolled", "storage": "per_step"},
        {"kind": "unrolled", "segment": 3},
        {"kind": "unrolled", "storage": "full", **MIXED},
        {"kind": "unrolled", "storage": "per_step", "save_gradients": True, **MIXED},
    ],
    ids=str,
)
def test_offloading_changes_no_bit(problem, spec: dict) -> None:
    meta = problem.initial_meta(0)
    assert same(estimate(problem, spec, meta), estimate(problem, {**spec, "offload": True}, meta))


@pytest.mark.parametrize("window", [3, 7])
@pytest.mark.parametrize("mode", ["last_k", "windows"])
def test_windows_are_the_same_either_way(problem, mode: str, window: int) -> None:
    meta = problem.initial_meta(0)
    spec = {"kind": "truncated", "mode": mode, "window": window}
    first, second = estimate(problem, spec, meta), estimate(problem, {**spec, **MIXED}, meta)
    torch.testing.assert_close(first.gradient, second.gradient, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("kind", ["unrolled", "truncated"])
def test_a_step_that_does_not_come_apart_is_refused(kind: str) -> None:
    problem = Recurrence(dtype=torch.float64)
    with pytest.raises(ValueError, match=r"inherit engine.gradient_step.GradientStep; allowed"):
        estimate(problem, {"kind": kind, **MIXED}, problem.initial_meta(0))


def test_parts_that_do_not_make_up_the_step_are_refused() -> None:
    class Faster(Ridge):
        def step(self, state: dict, meta: dict, t: int) -> dict:
            w = state["params"]["w"]
            return {"params": {"w": 0.5 * w}, "done": state["done"] + 1}

    problem = Faster(dtype=torch.float64)
    with pytest.raises(ValueError, match=r"step\(state, meta, 0\) is not updated"):
        estimate(problem, {"kind": "unrolled", **MIXED}, problem.initial_meta(0))


class Cube(torch.autograd.Function):
    """x³ with a first derivative by hand and no forward-mode one."""

    @staticmethod
    def forward(ctx, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @once_differentiable
    def backward(ctx, by: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return by * 3 * x**2


class Cubic(GradientStep):
    horizon, objective = 3, "final"

    def initial_meta(self, seed: int) -> dict:
        return {"rate": torch.tensor(0.1)}

    def initial_state(self, meta: dict, seed: int) -> dict:
        return {"params": {"w": torch.ones(2)}}

    def inner_gradient(self, state: dict, meta: dict, t: int) -> dict:
        w = state["params"]["w"].detach().requires_grad_()
        with torch.enable_grad():
            loss = Cube.apply(w).sum()
        return {"w": torch.autograd.grad(loss, w)[0]}

    def training_loss(self, state: dict, meta: dict, t: int) -> torch.Tensor:
        return Cube.apply(state["params"]["w"]).sum()

    def updated(self, state: dict, gradients: dict, meta: dict, t: int) -> dict:
        return {"params": {"w": state["params"]["w"] - meta["rate"] * gradients["w"]}}

    def meta_loss(self, state: dict, meta: dict, t: int) -> torch.Tensor:
        return state["params"]["w"].sum()


def test_a_loss_without_forward_mode_derivatives_is_refused() -> None:
    with pytest.raises(ValueError, match=r"needs forward-mode derivatives of the inner loss: .*"):
        estimate(Cubic(), {"kind": "unrolled", **MIXED}, Cubic().initial_meta(0))


def test_what_torch_cannot_offload_is_refused() -> None:
    """A step with torch.func.grad in it, which does not let its saved tensors be moved."""
    problem = Ridge(dtype=torch.float64)
    meta = problem.initial_meta(0)
    with pytest.raises(ValueError, match=r"offload: with the storage 'full' the step must not use"):
        estimate(problem, {"kind": "unrolled", "storage": "full", "offload": True}, meta)
    assert estimate(problem, {"kind": "unrolled", "offload": True}, meta).health.finite


def test_labels_tell_the_choices_apart() -> None:
    chosen = Unrolled(storage="per_step", save_gradients=True, offload=True, **MIXED)
    assert chosen.label == "Unrolled, per step, mixed mode, gradients saved, offloaded"
    assert Unrolled().label == "Unrolled, checkpoint"
    assert Truncated(window=5, **MIXED).label == "Truncated, last 5, mixed mode"
