"""Influence balancing with the figures of Tallec and Ollivier's example."""

import pytest
import torch

from engine import estimate
from engine.probes.oracle import oracle
from tests.engine.problems import influence_balancing


def drive_gradient(horizon: int, **estimator) -> tuple[float, float]:
    problem = influence_balancing(horizon)
    found = estimate(problem, estimator, problem.initial_meta(0))
    return found.meta_loss, float(found.gradient["drive"])


@pytest.mark.parametrize("storage", ["full", "per_step", "checkpoint"])
def test_the_exact_meta_gradient(storage: str) -> None:
    meta_loss, gradient = drive_gradient(200, kind="unrolled", storage=storage)
    assert meta_loss == pytest.approx(8.0, rel=1e-12)
    assert gradient == pytest.approx(24.0, rel=1e-12)


@pytest.mark.parametrize("mode", ["last_k", "windows"])
@pytest.mark.parametrize(
    ("window", "expected"),
    [(1, -4.0), (10, -40.0), (20, -65.904), (50, 19.011), (100, 24.0), (200, 24.0)],
)
def test_a_short_window_points_the_wrong_way(mode: str, window: int, expected: float) -> None:
    meta_loss, gradient = drive_gradient(200, kind="truncated", mode=mode, window=window)
    assert meta_loss == pytest.approx(8.0, rel=1e-12)
    assert gradient == pytest.approx(expected, abs=5e-4)


def test_the_sign_changes_at_41() -> None:
    signs = [drive_gradient(200, kind="truncated", window=k)[1] > 0.0 for k in (39, 40, 41, 42)]
    assert signs == [False, False, True, True]


@pytest.mark.parametrize("objective", ["final", "average"])
@pytest.mark.parametrize("task", [{}, {"dimension": 5, "positive": 1, "start": -0.3}])
def test_the_closed_form(objective: str, task: dict) -> None:
    problem = influence_balancing(40, objective=objective, **task)
    meta = {"drive": torch.tensor(0.2, dtype=torch.float64)}
    exact_loss, exact = oracle(problem, meta, 0)
    for kind in ("unrolled", "forward_mode"):
        found = estimate(problem, {"kind": kind}, meta)
        assert found.meta_loss == pytest.approx(exact_loss, rel=1e-12)
        assert float(found.gradient["drive"]) == pytest.approx(float(exact["drive"]), rel=1e-11)


def test_the_start_is_the_steady_state_of_a_fixed_drive() -> None:
    problem = influence_balancing(10)
    meta = problem.initial_meta(0)
    start = problem.initial_state(meta, 0)
    torch.testing.assert_close(problem.step(start, meta, 0), start, rtol=1e-14, atol=0)
    assert float(start["params"]["s"][0]) == -3.0
    other = problem.initial_state({"drive": meta["drive"] + 1.0}, 0)
    assert torch.equal(other["params"]["s"], start["params"]["s"])


def test_the_best_drive_is_minus_a_sixth() -> None:
    problem = influence_balancing(400)
    meta_loss, gradient = problem.exact({"drive": torch.tensor(-1 / 6, dtype=torch.float64)}, 0)
    assert meta_loss == pytest.approx(0.0, abs=1e-24)
    assert float(gradient["drive"]) == pytest.approx(0.0, abs=1e-12)
