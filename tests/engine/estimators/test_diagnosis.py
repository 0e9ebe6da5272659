"""What is said of an estimate that is not finite, where the truth is known by hand."""

import pytest
import torch

from engine import estimate, trees
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
    [
        ({"kind": "unrolled", "storage": "full"}, "adjoint (largest norm inf)"),
        ({"kind": "forward_mode"}, "tangents"),
    ],
    ids=str,
)
def test_derivatives_that_break_at_finite_states(spec: dict, broken: str) -> None:
    """√ has an infinite derivative at 0, and w − 2^10 is 0 at the end."""
    message = told(Doubling(10, loss=lambda w: torch.sqrt(w - 1024.0)), spec)
    assert message.endswith(
        f"every inner state is finite (the largest, after 10 steps, has norm 1.02e+03), so it is "
        f"the {broken} that broke"
    )


class Logistic:
    """s ← θ s (1 − s): chaotic at θ = 4, where the adjoint grows with the product of the slopes."""

    objective = "final"

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon

    def initial_meta(self, seed: int) -> dict:
        return {"growth": torch.tensor(4.0, dtype=torch.float64)}

    def initial_state(self, meta: dict, seed: int) -> dict:
        return {"params": {"s": torch.tensor(0.3, dtype=torch.float64)}}

    def step(self, state: dict, meta: dict, t: int) -> dict:
        s = state["params"]["s"]
        return {"params": {"s": meta["growth"] * s * (1.0 - s)}}

    def meta_loss(self, state: dict, meta: dict, t: int) -> torch.Tensor:
        return state["params"]["s"]


def test_the_adjoints_norm_is_kept_and_an_explosion_is_told() -> None:
    """|λ_t| = Π |θ (1 − 2 s_u)| over u = t … T − 1, by hand."""
    problem, meta = Logistic(60), Logistic(60).initial_meta(0)
    s, slopes = 0.3, []
    for _ in range(60):
        slopes.append(abs(4.0 * (1.0 - 2.0 * s)))
        s = 4.0 * s * (1.0 - s)
    norms = torch.tensor(slopes[::-1], dtype=torch.float64).cumprod(0)
    found = estimate(problem, {"kind": "unrolled", "storage": "per_step"}, meta)
    assert found.health.finite
    assert found.health.adjoint_norm == pytest.approx(float(norms.max()), rel=1e-6)
    start = 59 - int(norms.argmax())
    assert found.health.notes == [
        f"on its way back the adjoint exploded: its norm grew from {norms[0]:.3g} before inner "
        f"step 59 to {norms.max():.3g} before inner step {start}"
    ]
    short = estimate(Logistic(5), {"kind": "truncated", "window": 2}, meta).health
    assert short.adjoint_norm == pytest.approx(_slope_of_the_last(5, 2), rel=1e-6)
    assert not short.notes


def _slope_of_the_last(horizon: int, window: int) -> float:
    s, slope = 0.3, 1.0
    for t in range(horizon):
        if t >= horizon - window:
            slope *= abs(4.0 * (1.0 - 2.0 * s))
        s = 4.0 * s * (1.0 - s)
    return slope


def test_where_an_adjoint_broke_is_told() -> None:
    """λ_t = 2^(T − t) · 2^120 leaves float32 at 2^128."""
    problem = Doubling(20, loss=lambda w: 2.0**120 * (w - w.detach()))
    found = estimate(problem, {"kind": "unrolled", "segment": 1}, problem.initial_meta(0))
    assert found.health.notes[0] == (
        "on its way back the adjoint broke before inner step 13: its norm is 1.7e+38 there, and "
        "inf before inner step 12"
    )


def test_norms_of_large_float32_numbers_do_not_overflow() -> None:
    leaves = [torch.full((4,), 3e30), torch.tensor(8e30)]
    assert float(trees.norm(leaves)) == pytest.approx(1e31, rel=1e-6)


def test_an_online_slice_is_replayed_from_its_own_state() -> None:
    problem = Doubling(200, loss=torch.log, objective="average")
    estimator = Truncated(mode="windows", online=True, window=100)
    meta = problem.initial_meta(0)
    first, carry = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
    assert first.health.finite
    assert not first.health.notes
    second, _ = estimator.estimate(problem, meta, carry)
    assert "inner step 127 is the first bad one" in second.health.notes[-1]
