"""FOMAML and Reptile on the quadratic, where both have closed forms, in float64."""

import pytest
import torch

from engine import estimate
from engine.testing_problems import Recurrence, Ridge
from tests.engine.problems import quadratic
from tests.engine.shuffled import Shuffled

INITIALISATION = {"kind": "initialisation"}


def learned(problem, t: int) -> torch.Tensor:
    """w_t = c + (I − αH)^t (w_0 − c) at α = 0.1."""
    task = problem.task
    start = task.initial_params(0)["w"]
    return task.optimum + (1.0 - 0.1 * task.curvature) ** t * (start - task.optimum)


def test_fomaml_is_biased_by_the_jacobian_that_it_leaves_out() -> None:
    """ĝ = w_T − c′, and g* = (I − αH)^T (w_T − c′)."""
    problem = quadratic(INITIALISATION)
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "fomaml"}, meta).gradient["initialisation.w"]
    error = learned(problem, 25) - problem.task.validation_optimum
    torch.testing.assert_close(found, error, rtol=1e-9, atol=1e-12)
    exact = problem.exact(meta, 0)[1]["initialisation.w"]
    shrunk = (1.0 - 0.1 * problem.task.curvature) ** 25
    torch.testing.assert_close(found - exact, (1.0 - shrunk) * error, rtol=1e-9, atol=1e-12)


def test_fomaml_averages_the_losses_of_the_objective() -> None:
    problem = quadratic(INITIALISATION, objective="average", steps=4)
    found = estimate(problem, {"kind": "fomaml"}, problem.initial_meta(0))
    errors = [learned(problem, t) - problem.task.validation_optimum for t in range(1, 5)]
    mean = torch.stack(errors).mean(0)
    torch.testing.assert_close(found.gradient["initialisation.w"], mean, rtol=1e-9, atol=1e-12)
    assert found.meta_loss == pytest.approx(problem.exact(problem.initial_meta(0), 0)[0], rel=1e-9)


@pytest.mark.parametrize("optimizer", [{"kind": "sgd"}, {"kind": "momentum", "momentum": 0.0}])
def test_reptile_is_the_way_that_the_learner_went(optimizer: dict) -> None:
    problem = quadratic(INITIALISATION, optimizer=optimizer)
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "reptile"}, meta)
    way = meta["initialisation.w"] - learned(problem, 25)
    torch.testing.assert_close(found.gradient["initialisation.w"], way, rtol=1e-9, atol=1e-12)
    assert found.meta_loss == pytest.approx(problem.exact(meta, 0)[0], rel=1e-9)


def test_reptile_tells_parameters_apart_by_their_names() -> None:
    class Shrinking(Shuffled):
        def initial_meta(self, seed):
            return super().initial_state({}, seed)["params"]

        def initial_state(self, meta, seed):
            return {"params": dict(meta)}

        def step(self, state, meta, t):
            w, v = state["params"]["w"], state["params"]["v"]
            return {"params": {"v": 0.5 * v, "w": w}}

        def meta_loss(self, state, meta, t):
            return state["params"]["v"].sum()

    problem = Shrinking()
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "reptile"}, meta).gradient
    assert torch.equal(found["w"], torch.zeros(2, dtype=torch.float64))
    assert torch.equal(found["v"], (1.0 - 0.5**12) * meta["v"])


def test_reptile_refuses_other_meta_parameters() -> None:
    for problem in (quadratic(), quadratic(INITIALISATION, {"kind": "learning_rate"})):
        with pytest.raises(ValueError, match=r"reptile learns .* 'learning_rate' plays no part"):
            estimate(problem, {"kind": "reptile"}, problem.initial_meta(0))


RATE, DECAY, STEPS = 0.1, 0.2, 9
WITH_DECAY = {"kind": "sgd", "learning_rate": RATE, "weight_decay": DECAY}


def trajectory(task) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """w_0 … w_T under gradient descent with decay, and the gradients with the penalty's."""
    w = [task.initial_params(0)["w"]]
    slopes = []
    for _ in range(STEPS):
        slopes.append(task.curvature * (w[-1] - task.optimum) + DECAY * w[-1])
        w.append(w[-1] - RATE * slopes[-1])
    return w, slopes


@pytest.mark.parametrize("storage", ["full", "per_step", "checkpoint"])
def test_fomaml_reaches_every_meta_parameter_of_the_rule(storage: str) -> None:
    """λ_t = (1 − αλ)^(T − t) (w_T − c′); dF/dα = −Σ λ_{t+1}·(g_t + λ w_t), dF/dλ = −α Σ λ_{t+1}·w_t
    and dF/dw_0 = λ_0."""
    problem = quadratic(
        {"kind": "learning_rate"},
        {"kind": "weight_decay"},
        INITIALISATION,
        optimizer=WITH_DECAY,
        steps=STEPS,
    )
    meta = problem.initial_meta(0)
    w, slopes = trajectory(problem.task)
    last = w[-1] - problem.task.validation_optimum
    adjoints = [(1.0 - RATE * DECAY) ** (STEPS - t) * last for t in range(STEPS + 1)]
    pairs = list(zip(adjoints[1:], slopes, w, strict=False))
    found = estimate(problem, {"kind": "fomaml", "storage": storage}, meta)
    for name, expected in (
        ("learning_rate", -sum((a * slope).sum() for a, slope, _ in pairs)),
        ("weight_decay", -RATE * sum((a * before).sum() for a, _, before in pairs)),
        ("initialisation.w", adjoints[0]),
    ):
        torch.testing.assert_close(found.gradient[name], expected, rtol=1e-10, atol=1e-13)
    assert found.cost.hessian_vector_products == 0


def test_the_bias_of_fomaml_for_a_learning_rate_is_known() -> None:
    """g* has λ_{t+1} = (I − αH)^(T − t − 1) (w_T − c′) in place of w_T − c′."""
    problem = quadratic(steps=STEPS)
    meta = problem.initial_meta(0)
    task = problem.task
    ratio = 1.0 - 0.1 * task.curvature
    error = learned(problem, STEPS) - task.validation_optimum
    bias = -sum(
        (
            (1.0 - ratio ** (STEPS - t - 1)) * error
            * task.curvature * (learned(problem, t) - task.optimum)
        ).sum()
        for t in range(STEPS)
    )  # fmt: skip
    found = estimate(problem, {"kind": "fomaml"}, meta).gradient["learning_rate"]
    exact = problem.exact(meta, 0)[1]["learning_rate"]
    torch.testing.assert_close(found - exact, bias, rtol=1e-9, atol=1e-13)
    assert abs(bias) > 0.1 * abs(exact)


def test_a_step_of_a_users_own_is_passed_unchanged() -> None:
    """Without an inner gradient of its own: ĝ of w_0 is the gradient at w_T, and θ in the step is
    refused."""

    class Plain:
        horizon, objective = STEPS, "final"

        def initial_meta(self, seed: int) -> dict:
            return {"start": torch.tensor([1.0, -2.0], dtype=torch.float64)}

        def initial_state(self, meta: dict, seed: int) -> dict:
            return {"params": {"w": meta["start"]}}

        def step(self, state: dict, meta: dict, t: int) -> dict:
            return {"params": {"w": 0.8 * state["params"]["w"]}}

        def meta_loss(self, state: dict, meta: dict, t: int) -> torch.Tensor:
            return (state["params"]["w"] ** 2).sum()

    problem = Plain()
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "fomaml"}, meta).gradient["start"]
    torch.testing.assert_close(found, 2.0 * 0.8**STEPS * meta["start"])
    recurrence = Recurrence(dtype=torch.float64)
    with pytest.raises(ValueError, match=r"fomaml without an inner gradient .* 'gain' plays no"):
        estimate(recurrence, {"kind": "fomaml"}, recurrence.initial_meta(0))


def test_a_meta_parameter_of_the_inner_loss_alone_is_refused() -> None:
    problem = Ridge(dtype=torch.float64)
    with pytest.raises(ValueError, match="'decay' acts through them alone"):
        estimate(problem, {"kind": "fomaml"}, problem.initial_meta(0))
