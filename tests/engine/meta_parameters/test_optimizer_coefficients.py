"""What the usual update rules can learn of themselves: schedules, momentum, Adam's coefficients."""

import math

import pytest
import torch

from engine import estimate, trees
from engine.probes.oracle import oracle
from tests.engine.finite_differences import TASKS, assert_exact, built

ADAM = {"kind": "adam", "epsilon": 0.05, "learning_rate": 0.1}
SHAPES = ("cosine", "linear", "exponential")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("optimizer", "meta_parameters"),
    [
        ({"kind": "sgd"}, [{"kind": "learning_rate_schedule", "shape": "cosine"}]),
        ({"kind": "momentum"}, [{"kind": "learning_rate_schedule", "shape": "exponential"}]),
        ({"kind": "momentum"}, [{"kind": "momentum", "scale": "logit"}]),
        (ADAM, [{"kind": "learning_rate_schedule", "shape": "linear"}]),
        (ADAM, [{"kind": "beta1"}]),
        (ADAM, [{"kind": "beta2"}]),
        (ADAM, [{"kind": "epsilon"}]),
        (ADAM, [{"kind": name} for name in ("learning_rate", "beta1", "beta2", "epsilon")]),
        (
            {"kind": "sgd"},
            [{"kind": "learning_rate", "granularity": "per_parameter"}, {"kind": "initialisation"}],
        ),
    ],
    ids=str,
)
def test_every_exact_estimator_equals_finite_differences(task, optimizer, meta_parameters) -> None:
    assert_exact(built(task, *meta_parameters, optimizer=optimizer), least=1e-6)


def test_coefficients_start_as_the_inner_optimizer_has_them() -> None:
    problem = built("quadratic", {"kind": "beta1"}, {"kind": "beta2"}, {"kind": "epsilon"},
                    optimizer={"kind": "adam"})  # fmt: skip
    fixed = built("quadratic", {"kind": "learning_rate"}, optimizer={"kind": "adam"})
    learned = problem.hyper(problem.initial_meta(0), 0)
    given = fixed.hyper(fixed.initial_meta(0), 0)
    for name in ("beta1", "beta2", "epsilon"):
        assert float(learned[name]["w"]) == pytest.approx(given[name]["w"], rel=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_schedules_go_from_start_to_end(shape: str) -> None:
    schedule = {"kind": "learning_rate_schedule", "shape": shape, "start": 0.4, "end": 0.1}
    problem = built("quadratic", schedule, inner={"steps": 10})
    meta = problem.initial_meta(0)
    rates = [float(problem.hyper(meta, t)["learning_rate"]["w"]) for t in (0, 5, 10)]
    middle = {"cosine": 0.25, "linear": 0.25, "exponential": 0.2}[shape]
    assert rates == pytest.approx([0.4, middle, 0.1])
    assert problem.logarithmic() == list(meta)
    extreme = {name: leaf - 50.0 for name, leaf in meta.items()}
    assert float(problem.hyper(extreme, 3)["learning_rate"]["w"]) > 0.0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["quadratic", "noisy_quadratic"])
def test_the_closed_forms_know_schedules(kind: str, shape: str) -> None:
    problem = built(
        {"kind": kind, "dimension": 5},
        {"kind": "learning_rate_schedule", "shape": shape, "start": 0.5},
        inner={"steps": 12},
    )
    meta = problem.initial_meta(0)
    loss, exact = oracle(problem, meta, 0)
    found = estimate(problem, {"kind": "unrolled"}, meta)
    assert hasattr(problem, "exact")
    assert found.meta_loss == pytest.approx(loss, rel=1e-12)
    assert found.gradient.keys() == exact.keys()
    difference = trees.flat(found.gradient) - trees.flat(exact)
    assert difference.norm() < 1e-11 * trees.flat(exact).norm()


@pytest.mark.parametrize(
    "meta_parameter",
    [
        {"kind": "learning_rate_schedule"},
        {"kind": "learning_rate", "granularity": "per_step", "scale": "log"},
    ],
    ids=str,
)
def test_a_schedule_is_drawn_beside_what_it_started_as(meta_parameter: dict) -> None:
    problem = built("quadratic", meta_parameter, inner={"steps": 6})
    start = problem.initial_meta(0)
    [picture] = problem.pictures({name: leaf + math.log(2.0) for name, leaf in start.items()}, 0)
    learned, before = picture.drawing.lines
    assert learned.x == before.x == list(range(6))
    assert before.dashed
    assert not learned.dashed
    assert learned.y == pytest.approx([2.0 * value for value in before.y])


def test_meta_sgd_is_drawn_sorted_with_either_sign() -> None:
    rates = {"kind": "learning_rate", "granularity": "per_parameter", "initial": 0.1}
    problem = built("quadratic", rates, {"kind": "initialisation"})
    values = torch.tensor([0.2, -0.3, 0.1, 0.0], dtype=torch.float64)
    [picture] = problem.pictures({**problem.initial_meta(0), "learning_rate.w": values}, 0)
    assert picture.drawing.lines[0].y == pytest.approx([-0.3, 0.0, 0.1, 0.2])
    assert picture.drawing.lines[1].y == pytest.approx([0.1] * 4)


def test_one_number_is_a_series_and_no_picture() -> None:
    problem = built("quadratic", {"kind": "learning_rate"})
    assert problem.pictures(problem.initial_meta(0), 0) == []
