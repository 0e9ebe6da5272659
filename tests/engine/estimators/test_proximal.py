"""A learner that is tied to its learned initial parameters (iMAML), in float64.

With (ρ/2)‖w − w_0‖² in the inner loss, w_T tends to the w* at which H(w* − c) + ρ(w* − w_0) = 0 on
the quadratic, and dF/dw_0 = ρ (H + ρI)⁻¹ ∂F/∂w.
"""

import pytest
import torch

from engine import estimate, trees
from engine.building import build_problem
from engine.problem import Learner
from engine.spec import validate
from tests.engine.problems import quadratic
from tests.engine.slopes import meta_loss, slope

INITIALISATION = {"kind": "initialisation"}
PROXIMAL = 0.6
EXACT = [
    {"kind": "unrolled", "storage": "full"},
    {"kind": "unrolled", "storage": "per_step"},
    {"kind": "unrolled", "storage": "checkpoint"},
    {"kind": "truncated", "window": 12},
    {"kind": "forward_mode"},
]


def built(task: dict, optimizer: dict, meta_parameters: list[dict], steps: int, **rest):
    return build_problem(
        validate(
            {
                "inner_task": task,
                "inner": {"steps": steps, "optimizer": optimizer, "proximal": PROXIMAL},
                "meta_parameters": meta_parameters,
                "precision": "float64",
                **rest,
            }
        )
    )


def tied_quadratic(*meta_parameters, steps: int = 12, optimizer: dict | None = None, **rest):
    task = {"kind": "quadratic", "dimension": 6, "condition_number": 20.0, **rest.pop("task", {})}
    optimizer = optimizer or {"kind": "sgd", "learning_rate": 0.4}
    return built(task, optimizer, [INITIALISATION, *meta_parameters], steps, **rest)


@pytest.mark.parametrize("objective", ["final", "average"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_every_exact_estimator_equals_the_closed_form(optimizer: str, objective: str) -> None:
    problem = tied_quadratic(
        {"kind": "learning_rate", "granularity": "per_step"},
        {"kind": "weight_decay", "initial": 0.1, "scale": "log"},
        optimizer={"kind": optimizer, "learning_rate": 0.2},
        objective=objective,
        task={"noise": 0.3},
    )
    meta = problem.initial_meta(0)
    loss, exact = problem.exact(meta, 0)
    for spec in EXACT:
        if spec["kind"] == "truncated" and objective == "average":
            continue
        found = estimate(problem, spec, meta)
        assert found.meta_loss == pytest.approx(loss, rel=1e-12)
        for name, leaf in exact.items():
            torch.testing.assert_close(found.gradient[name], leaf, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("solver", ["cg", "normal_cg", "exact"])
@pytest.mark.parametrize("products", ["exact", "finite_difference"])
def test_implicit_at_convergence_in_closed_form(solver: str, products: str) -> None:
    problem = tied_quadratic(steps=200)
    meta = problem.initial_meta(0)
    task = problem.task
    stiffness = task.curvature + PROXIMAL
    end = (task.curvature * task.optimum + PROXIMAL * meta["initialisation.w"]) / stiffness
    expected = PROXIMAL / stiffness * (end - task.validation_optimum)
    found = estimate(problem, {"kind": "implicit", "solver": solver, "products": products}, meta)
    torch.testing.assert_close(found.gradient["initialisation.w"], expected, rtol=1e-8, atol=1e-8)
    judged = task.validation_loss({"w": end}, torch.tensor(0))
    assert found.meta_loss == pytest.approx(float(judged), rel=1e-12)
    assert found.health.inner_gradient_norm < 1e-10
    assert found.health.residual < 1e-8
    exact = problem.exact(meta, 0)[1]["initialisation.w"]
    torch.testing.assert_close(exact, expected, rtol=1e-8, atol=1e-12)


def test_the_implicit_gradient_of_an_early_stop_is_that_of_the_end() -> None:
    """ρ (H + ρI)⁻¹ ∂F/∂w at whatever w the loop ended: biased, and the inner gradient tells."""
    problem = tied_quadratic(steps=3)
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "implicit"}, meta)
    assert found.health.inner_gradient_norm > 1e-2
    exact = trees.flat(problem.exact(meta, 0)[1])
    assert (trees.flat(found.gradient) - exact).norm() > 1e-2 * exact.norm()


def network(steps: int, *, optimizer: dict | None = None, **inner_task):
    task = {
        "kind": "image_mlp", "hidden": [5], "activation": "tanh", "train_examples": 60,
        "validation_examples": 40, "batch_size": None, **inner_task,
    }  # fmt: skip
    return built(task, optimizer or {"kind": "sgd", "learning_rate": 0.5}, [INITIALISATION], steps)


@pytest.mark.parametrize(
    "optimizer",
    [
        {"kind": "sgd", "learning_rate": 0.3, "weight_decay": 0.03},
        {"kind": "momentum", "learning_rate": 0.1},
        {"kind": "adam", "learning_rate": 0.05, "epsilon": 0.05},
    ],
    ids=lambda optimizer: optimizer["kind"],
)
def test_central_differences_on_a_network(optimizer: dict) -> None:
    problem = network(4, optimizer=optimizer, batch_size=6)
    meta = problem.initial_meta(0)
    gradient = trees.flat(estimate(problem, {"kind": "unrolled"}, meta).gradient)
    unit = gradient / gradient.norm()
    assert abs(slope(problem, meta, unit, 1e-5) - gradient.norm()) < 1e-6 * gradient.norm()


def test_at_a_long_horizon_implicit_and_unrolled_agree_on_a_network() -> None:
    """And with central differences of the meta-loss itself."""
    problem = network(400, optimizer={"kind": "sgd", "learning_rate": 0.2})
    meta = problem.initial_meta(0)
    unrolled = estimate(problem, {"kind": "unrolled", "storage": "full"}, meta)
    implicit = estimate(problem, {"kind": "implicit", "iterations": 60}, meta)
    exact, found = trees.flat(unrolled.gradient), trees.flat(implicit.gradient)
    assert implicit.health.inner_gradient_norm < 1e-9
    assert (found - exact).norm() < 1e-7 * exact.norm()
    assert implicit.cost.peak_bytes < unrolled.cost.peak_bytes


def test_memory_is_flat_in_the_horizon() -> None:
    def peak(spec: dict, steps: int) -> int:
        problem = network(steps)
        return estimate(problem, spec, problem.initial_meta(0)).cost.peak_bytes

    implicit, full = {"kind": "implicit"}, {"kind": "unrolled", "storage": "full"}
    assert peak(implicit, 200) == pytest.approx(peak(implicit, 20), rel=0.02)
    assert 8.0 < peak(full, 200) / peak(full, 20) < 12.0


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "evolution", "particles": 4},
        {"kind": "fomaml"},
        {"kind": "reptile"},
        {"kind": "truncated", "window": 3},
        {"kind": "implicit", "solver": "neumann", "step_size": 0.5, "warm_start": True},
    ],
    ids=lambda spec: spec["kind"],
)
def test_the_others_take_it_too(spec: dict) -> None:
    """The meta-loss is that of the tied learner."""
    problem, free = network(8), network(8)
    free.proximal = 0.0
    free.step = free.eager_step
    meta = problem.initial_meta(0)
    found = estimate(problem, spec, meta)
    assert found.health.finite
    if spec["kind"] != "evolution":
        assert found.meta_loss == pytest.approx(meta_loss(problem, meta), rel=1e-12)
    assert found.meta_loss != pytest.approx(meta_loss(free, meta), rel=1e-3)


def test_a_tie_to_nothing_is_refused() -> None:
    learner = quadratic()
    with pytest.raises(ValueError, match="proximal: no meta-parameter holds initial parameters"):
        Learner(
            task=learner.task,
            optimizer=learner.optimizer,
            fixed={"learning_rate": 0.1, "weight_decay": 0.0},
            meta_parameters=learner.meta_parameters,
            horizon=5,
            objective="final",
            proximal=0.5,
        )
