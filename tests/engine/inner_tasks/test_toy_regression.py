"""The toy on which schedules were compared: its value, and meta-gradients through its waves."""

import math

import pytest

from tests.engine.finite_differences import assert_exact, built
from tests.engine.slopes import meta_loss

TOY = {"kind": "toy_regression"}
SCHEDULE = {
    "kind": "learning_rate_schedule", "shape": "linear",
    "start": math.exp(-4.0), "end": math.exp(-4.0),
}  # fmt: skip


def test_the_loss_where_it_starts_and_ends() -> None:
    problem = built(TOY, SCHEDULE)
    state = problem.initial_state(problem.initial_meta(0), 0)
    value = 6.0**0.5 - 5.0**0.5 + math.sin(1.0) ** 2 * math.exp(-5.0) + 0.25 * 99.0
    assert float(problem.meta_loss(state, {}, 0)) == pytest.approx(value, rel=1e-12)


def test_meta_gradients_equal_finite_differences() -> None:
    assert_exact(built(TOY, {**SCHEDULE, "start": 0.5, "end": 0.3}))


def test_the_paper_starts_on_a_plateau_and_only_large_first_steps_leave_it() -> None:
    problem = built(TOY, SCHEDULE, inner={"steps": 100})
    small, name = problem.initial_meta(0), "learning_rate_schedule.start"
    losses = [
        meta_loss(problem, {**small, name: small[name] + larger}) for larger in (0.0, 4.0, 7.0)
    ]
    assert losses[0] - losses[1] < 0.7
    assert losses[2] < 0.3 * losses[0]
