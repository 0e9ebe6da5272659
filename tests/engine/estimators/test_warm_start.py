"""Linear solves that go on where the last outer step left them, in float64."""

import pytest
import torch

from engine import estimate, run
from engine.estimators import build_estimator
from engine.estimators.linear_solvers import SOLVERS
from engine.events import Checkpoint, Event, Point
from engine.spec import validate
from engine.spec.estimators import Implicit as Options
from tests.engine.problems import quadratic
from tests.engine.saddle import Saddle, symmetric

DECAY = {"kind": "weight_decay", "granularity": "per_parameter", "initial": 0.3}
EIGENVALUES = [0.16, 0.5, 0.7, 0.75, 1.0]


def residuals(options: dict, *, calls: int) -> list[float]:
    """Of consecutive estimates at one θ, on Hessians with a condition number of 200."""
    problem = quadratic(DECAY, condition_number=200.0, dimension=40, steps=5)
    meta = problem.initial_meta(0)
    estimator = build_estimator({"kind": "implicit", **options})
    carry, found = estimator.start(problem, meta, 0), []
    for _ in range(calls):
        result, carry = estimator.estimate(problem, meta, carry)
        found.append(result.health.residual)
    return found


@pytest.mark.parametrize(
    ("solver", "iterations", "cold_iterations"),
    [
        ({"solver": "cg"}, 3, 11),
        ({"solver": "normal_cg"}, 3, 11),
        ({"solver": "neumann", "step_size": 0.7}, 3, 60),
    ],
    ids=str,
)
def test_a_few_iterations_each_time_add_up_to_many(solver, iterations, cold_iterations) -> None:
    warm = residuals({**solver, "iterations": iterations, "warm_start": True}, calls=20)
    [cold] = residuals({**solver, "iterations": cold_iterations}, calls=1)
    [first] = residuals({**solver, "iterations": iterations}, calls=1)
    assert warm[0] == first
    assert warm == sorted(warm, reverse=True)
    assert warm[-1] <= cold * (1 + 1e-9) < first / 5


def test_the_neumann_series_goes_on_as_if_it_had_never_stopped() -> None:
    matrix = symmetric(EIGENVALUES)
    right = torch.arange(1.0, 6.0, dtype=torch.float64)

    def solved(iterations: int, start=None) -> list[torch.Tensor]:
        options = Options(solver="neumann", iterations=iterations, step_size=0.5)
        return SOLVERS["neumann"](lambda v: [matrix @ v[0]], [right], options, start).vector

    torch.testing.assert_close(solved(7, solved(5)), solved(12), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("solver", ["cg", "normal_cg", "neumann"])
def test_a_start_of_zero_is_no_start(solver: str) -> None:
    matrix = symmetric(EIGENVALUES)
    right = torch.arange(1.0, 6.0, dtype=torch.float64)
    options = Options(solver=solver, iterations=4)
    cold, zero = (
        SOLVERS[solver](lambda v: [matrix @ v[0]], [right], options, start).vector[0]
        for start in (None, [torch.zeros(5, dtype=torch.float64)])
    )
    assert torch.equal(cold, zero)


@pytest.mark.parametrize("solver", ["cg", "normal_cg", "neumann"])
def test_a_start_at_the_solution_stays_there(solver: str) -> None:
    matrix = symmetric(EIGENVALUES)
    solution = torch.arange(1.0, 6.0, dtype=torch.float64)
    found = SOLVERS[solver](
        lambda v: [matrix @ v[0]], [matrix @ solution], Options(solver=solver), [solution]
    )
    torch.testing.assert_close(found.vector[0], solution, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("solver", "products"), [("cg", 4), ("neumann", 3), ("normal_cg", 8)])
def test_the_product_with_the_start_is_counted(solver: str, products: int) -> None:
    problem = quadratic(DECAY, steps=3)
    meta = problem.initial_meta(0)
    estimator = build_estimator(
        {"kind": "implicit", "solver": solver, "iterations": 3, "warm_start": True}
    )
    first, carry = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
    second, _ = estimator.estimate(problem, meta, carry)
    assert first.cost.hessian_vector_products == products
    assert second.cost.hessian_vector_products == products + 1


@pytest.mark.parametrize("solver", ["cg", "neumann", "normal_cg"])
def test_negative_curvature_is_said_at_every_step(solver: str) -> None:
    problem = Saddle()
    meta = problem.initial_meta(0)
    estimator = build_estimator(
        {"kind": "implicit", "solver": solver, "iterations": 10, "warm_start": True}
    )
    carry = estimator.start(problem, meta, 0)
    for _ in range(4):
        found, carry = estimator.estimate(problem, meta, carry)
        assert found.health.negative_curvature is True
        assert "curvature" in found.health.notes[0]


def test_a_solution_that_is_not_finite_is_no_start() -> None:
    problem = quadratic(DECAY, steps=3)
    meta = problem.initial_meta(0)
    broken = {name: torch.full_like(leaf, torch.inf) for name, leaf in meta.items()}
    estimator = build_estimator({"kind": "implicit", "warm_start": True})
    found, carry = estimator.estimate(problem, broken, estimator.start(problem, meta, 0))
    assert not found.health.finite
    again, _ = estimator.estimate(problem, meta, carry)
    cold = estimate(problem, {"kind": "implicit"}, meta)
    assert torch.equal(again.gradient["weight_decay.w"], cold.gradient["weight_decay.w"])


def experiment(**outer):
    return validate(
        {
            "inner_task": {"kind": "quadratic", "dimension": 9, "noise": 0.1},
            "inner": {"steps": 10},
            "meta_parameters": [{"kind": "weight_decay", "initial": 0.1, "scale": "log"}],
            "estimators": [
                {"kind": "implicit", "solver": "cg", "iterations": 2, "warm_start": True}
            ],
            "outer": {"steps": 12, "meta_batch": 3, **outer},
            "precision": "float64",
        }
    )


def figures(events: list[Event]) -> list[dict[str, float]]:
    return [
        {name: value for name, value in event.values.items() if "seconds" not in name}
        for event in events
        if isinstance(event, Point)
    ]


@pytest.mark.parametrize("inner_seed", ["fixed", "fresh"])
def test_every_inner_loop_has_a_solution_of_its_own_and_a_checkpoint_keeps_it(inner_seed) -> None:
    events = list(run(experiment(inner_seed=inner_seed), checkpoint_seconds=0.0))
    middle = next(e for e in events if isinstance(e, Checkpoint) and e.step == 6)
    solutions = [carry["solution"][0] for carry in middle.state["loop"]["carries"]]
    assert len(solutions) == 3
    assert not torch.equal(solutions[0], solutions[1])
    resumed = figures(list(run(experiment(inner_seed=inner_seed), middle)))
    assert resumed == figures(events)[6:]
    residual = [values["residual"] for values in figures(events)]
    if inner_seed == "fixed":
        assert residual[-1] < residual[0] / 100
