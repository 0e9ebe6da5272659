"""Short-horizon bias, with the figures of Wu, Ren, Liao and Grosse's noisy quadratic."""

import pytest
import torch

from engine import estimate, trees
from engine.building import build_problem
from engine.probes.oracle import oracle
from engine.problem import BuiltProblem
from engine.spec import validate

HORIZON = 250
GRANULAR = [
    {"granularity": granularity, "scale": scale}
    for granularity in ("scalar", "per_tensor", "per_parameter", "per_step")
    for scale in ("linear", "log")
]


def noisy_quadratic(
    *, steps: int = HORIZON, objective: str = "final", rate: dict | None = None, **task
) -> BuiltProblem:
    document = {
        "inner_task": {"kind": "noisy_quadratic", **task},
        "inner": {"steps": steps},
        "meta_parameters": [{"kind": "learning_rate", "granularity": "per_step", **(rate or {})}],
        "objective": objective,
        "precision": "float64",
    }
    return build_problem(validate(document))


def greedy(problem: BuiltProblem) -> torch.Tensor:
    """The schedule that minimises the next loss every time, a quadratic in α:

    ½ Σ h [(1 − αh)² m + α² c h] is least at α = Σ h² m / Σ (h³ m + c h²).
    """
    h, c = problem.task.curvature, problem.task.noise
    moment = torch.ones_like(h)
    rates = []
    for _ in range(problem.horizon):
        rate = (h**2 * moment).sum() / (h**3 * moment + c * h**2).sum()
        moment = (1.0 - rate * h) ** 2 * moment + rate**2 * c * h
        rates.append(rate)
    return torch.stack(rates)


def optimised(problem: BuiltProblem, start: torch.Tensor) -> torch.Tensor:
    """The schedule that minimises the last loss, by L-BFGS on the exact meta-gradient."""
    rates = start.clone()
    optimizer = torch.optim.LBFGS(
        [rates], max_iter=150, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        meta_loss, gradient = problem.exact({"learning_rate": rates}, 0)
        rates.grad = gradient["learning_rate"]
        return meta_loss

    optimizer.step(closure)
    return rates


def final_loss(problem: BuiltProblem, rates: torch.Tensor) -> float:
    """By the contract of a problem: the steps as an estimator takes them."""
    with torch.no_grad():
        state = problem.initial_state({}, 0)
        for t in range(problem.horizon):
            state = problem.step(state, {"learning_rate": rates}, t)
        return float(problem.meta_loss(state, {}, problem.horizon))


def test_the_greedy_schedule_ends_above_the_optimised_one() -> None:
    problem = noisy_quadratic()
    short_sighted = greedy(problem)
    best = optimised(problem, torch.full_like(short_sighted, 0.1))
    assert final_loss(problem, short_sighted) == pytest.approx(0.2153, abs=1e-4)
    assert final_loss(problem, best) == pytest.approx(0.1189, abs=1e-4)
    assert short_sighted[20] < 0.2 * best[20]  # greed gives up large steps at once


def test_with_equal_curvatures_greed_is_best() -> None:
    problem = noisy_quadratic(condition_number=1.0)
    short_sighted = greedy(problem)
    least, gradient = problem.exact({"learning_rate": short_sighted}, 0)
    assert gradient["learning_rate"].abs().max() < 1e-12
    best = optimised(problem, torch.full_like(short_sighted, 0.02))
    assert final_loss(problem, best) == pytest.approx(least, abs=2e-4)
    assert final_loss(problem, best) > least - 1e-9


def test_without_noise_greed_is_near_the_best() -> None:
    """The bias needs the noise: without it large steps hurt nobody now."""
    problem = noisy_quadratic(noise=0.0, steps=50)
    assert problem.exact({"learning_rate": greedy(problem)}, 0)[0] < 0.1


def test_a_greedy_window_is_the_derivative_of_the_next_loss() -> None:
    """Windows of one step, summed over the average of the losses, vanish at the greedy schedule."""
    problem = noisy_quadratic(steps=30, objective="average")
    spec = {"kind": "truncated", "mode": "windows", "window": 1}
    found = estimate(problem, spec, {"learning_rate": greedy(problem)})
    assert found.gradient["learning_rate"].abs().max() < 1e-13


@pytest.mark.parametrize("objective", ["final", "average"])
@pytest.mark.parametrize("rate", GRANULAR, ids=lambda rate: " ".join(rate.values()))
def test_the_closed_form(objective: str, rate: dict) -> None:
    problem = noisy_quadratic(steps=12, dimension=5, objective=objective, rate=rate)
    meta = problem.initial_meta(0)
    exact_loss, exact = oracle(problem, meta, 0)
    for kind in ("unrolled", "forward_mode"):
        found = estimate(problem, {"kind": kind}, meta)
        assert found.meta_loss == pytest.approx(exact_loss, rel=1e-12)
        assert found.gradient.keys() == exact.keys()
        difference = trees.flat(found.gradient) - trees.flat(exact)
        assert difference.norm() < 1e-11 * trees.flat(exact).norm()
