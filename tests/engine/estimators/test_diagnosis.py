"""What is said of an estimate that is not finite, where the truth is known by hand."""

import pytest
import torch

from engine import estimate
from engine.estimators import Truncated


class Doubling:
    """w ← factor · w from w = 1, with the loss w² (or whatever `loss` makes of w)."""

    objective = "final"

    def __init__(self, horizon: int, loss=torch.square, objective: str = "final") -> None:
        self.horizon, self.loss, self.objective = horizon, loss, objective

    def initial_meta(self, seed: int) -> dict:
        return {"factor": torch.tensor(2.0)}

    def initial_state(self, meta: dict, seed: int) -> dict:
        return {"params": {"w": torch.ones(())}, "count": torch.tensor(0)}

    def step(self, state: dict, meta: dict, t: int) -> dict:
        return {"params": {"w": meta["factor"] * state["params"]["w"]}, "count": state["count"] + 1}

    def meta_loss(self, state: dict, meta: dict, t: int) -> torch.Tensor:
        return self.loss(state["params"]["w"])


def told(problem, spec: dict) -> str:
    found = estimate(problem, spec, problem.initial_meta(0))
    assert not found.health.finite
    return found.health.notes[-1]


@pytest.mark.parametrize(
    "spec",
    [{"kind": "unrolled"}, {"kind": "truncated"}, {"kind": "forward_mode"}, {"kind": "evolution"}],
    ids=str,
)
def test_the_first_bad_inner_step_and_the_norm_before_it(spec: dict) -> None:
    """2^127 is the last power of two of float32, and step 127 leaves it."""
    message = told(Doubling(200), spec)
    assert message == (
        "the meta-loss or the meta-gradient is not a finite number: inner step 127 is the first "
        "bad one, where the norm of the state went from 1.7e+38 to inf"
    )


def test_a_loss_that_overflows_at_a_finite_state() -> None:
    message = told(Doubling(70), {"kind": "unrolled"})
    assert "the loss after inner step 69 is inf, at a state of norm 1.18e+21" in message


@pytest.mark.parametrize(
    ("spec", "broken"),
    [({"kind": "unrolled", "storage": "full"}, "adjoint"), ({"kind": "forward_mode"}, "tangents")],
    ids=str,
)
def test_derivatives_that_break_at_finite_states(spec: dict, broken: str) -> None:
    """√ has an infinite derivative at 0, and w − 2^10 is 0 at the end."""
    message = told(Doubling(10, loss=lambda w: torch.sqrt(w - 1024.0)), spec)
    assert message.endswith(
        f"every inner state is finite (the largest, after 10 steps, has norm 1.02e+03), so it is "
        f"the {broken} that broke"
    )


def test_an_online_slice_is_replayed_from_its_own_state() -> None:
    problem = Doubling(200, loss=torch.log, objective="average")
    estimator = Truncated(mode="windows", online=True, window=100)
    meta = problem.initial_meta(0)
    first, carry = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
    assert first.health.finite
    assert not first.health.notes
    second, _ = estimator.estimate(problem, meta, carry)
    assert "inner step 127 is the first bad one" in second.health.notes[-1]
