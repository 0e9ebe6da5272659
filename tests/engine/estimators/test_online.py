"""Online truncated windows: what one slice is, and how long the schedules make it."""

import math

import pytest
import torch

from engine import estimate, trees
from engine.estimators import Truncated
from engine.estimators.truncation_schedule import Fixed, Growing, Random
from engine.probes.memory import PeakBytes
from tests.engine.problems import quadratic


def slices(problem, meta, count: int, **options):
    """`count` estimates in a row at one θ, and the carries before each."""
    estimator = Truncated(mode="windows", online=True, **options)
    carry, found, carries = estimator.start(problem, meta, 0), [], []
    for _ in range(count):
        carries.append(carry)
        one, carry = estimator.estimate(problem, meta, carry)
        found.append(one)
    return found, [*carries, carry]


def test_at_one_theta_the_mean_of_the_slices_is_the_windows_estimate() -> None:
    problem = quadratic(
        {"kind": "initialisation"}, {"kind": "learning_rate"},
        objective="average", steps=12, noise=0.2, optimizer={"kind": "momentum"},
    )  # fmt: skip
    meta = problem.initial_meta(0)
    whole = estimate(problem, {"kind": "truncated", "mode": "windows", "window": 4}, meta)
    found, carries = slices(problem, meta, 3, window=4)
    mean = torch.stack([trees.flat(one.gradient) for one in found]).mean(0)
    torch.testing.assert_close(mean, trees.flat(whole.gradient), rtol=1e-12, atol=1e-14)
    assert sum(one.meta_loss for one in found) / 3 == pytest.approx(whole.meta_loss, rel=1e-12)
    assert [carry.get("t", 0) for carry in carries] == [0, 4, 8, 0]
    assert [one.cost.inner_steps for one in found] == [4, 4, 4]


@pytest.mark.parametrize(
    ("options", "lengths"),
    [
        ({"window": 5}, [5, 5, 2]),
        ({"window": 2, "schedule": "growing", "longest_window": 9}, [4, 4, 4]),
        ({"window": 2, "schedule": "random", "longest_window": 9}, None),
    ],
)
def test_a_whole_loop_is_the_mean_of_its_slices_whatever_the_carry(options, lengths) -> None:
    """Weighted by their lengths, which are those of the carry's loop."""
    problem = quadratic({"kind": "learning_rate"}, objective="average", steps=12, noise=0.2)
    meta = problem.initial_meta(0)
    _, carries = slices(problem, meta, 8, **options)
    estimator = Truncated(mode="windows", online=True, **options)
    whole = estimator.whole_loop(problem, meta, carries[-1])
    carry, steps, total = {**carries[-1], "t": 0, "state": None}, [], 0.0
    while sum(steps) < 12:
        one, carry = estimator.estimate(problem, meta, carry)
        steps.append(one.cost.inner_steps)
        total += steps[-1] * float(one.gradient["learning_rate"])
    assert lengths is None or steps == lengths
    assert total / 12 == pytest.approx(float(whole.gradient["learning_rate"]), rel=1e-12)
    assert whole.cost.inner_steps == 12


def test_a_slice_starts_from_the_state_that_the_last_theta_left() -> None:
    """By hand: w_K with the first rate, then dℓ/dα of the second slice as if w_K were given."""
    problem = quadratic({"kind": "learning_rate"}, objective="average", steps=4)
    estimator = Truncated(mode="windows", online=True, window=2)
    first = {"learning_rate": torch.tensor(0.1, dtype=torch.float64)}
    second = {"learning_rate": torch.tensor(0.3, dtype=torch.float64)}
    _, carry = estimator.estimate(problem, first, estimator.start(problem, first, 0))
    found, _ = estimator.estimate(problem, second, carry)
    task = problem.task
    offset = task.initial_params(0)["w"] - task.optimum
    offset = (1.0 - 0.1 * task.curvature) ** 2 * offset
    ratio = 1.0 - 0.3 * task.curvature
    expected = 0.0
    for t in (1, 2):
        w = task.optimum + ratio**t * offset
        by_rate = -task.curvature * t * ratio ** (t - 1) * offset
        expected += float(((w - task.validation_optimum) * by_rate).sum()) / 2
    assert float(found.gradient["learning_rate"]) == pytest.approx(expected, rel=1e-12)


def test_the_last_slice_ends_at_the_horizon_and_the_loop_starts_anew() -> None:
    problem = quadratic(objective="average", steps=10)
    found, carries = slices(problem, problem.initial_meta(0), 4, window=4)
    assert [one.cost.inner_steps for one in found] == [4, 4, 2, 4]
    assert [carry.get("loops", 0) for carry in carries] == [0, 0, 0, 1, 1]
    assert found[3].meta_loss == found[0].meta_loss


def test_growing_slices_double_with_every_loop() -> None:
    problem = quadratic(objective="average", steps=8)
    options = {"window": 2, "schedule": "growing", "longest_window": 7}
    found, _ = slices(problem, problem.initial_meta(0), 9, **options)
    assert [one.cost.inner_steps for one in found] == [2, 2, 2, 2, 4, 4, 7, 1, 7]
    assert Growing(shortest=1, longest=100_000).length(seed=0, index=0, finished_loops=10**6) == (
        100_000
    )


def test_random_lengths_are_log_uniform() -> None:
    """Each frequency within 4 standard errors of log((n + 1) / n) / log((L + 1) / K)."""
    schedule, count = Random(shortest=2, longest=9), 4000
    lengths = [schedule.length(seed=3, index=i, finished_loops=0) for i in range(count)]
    assert set(lengths) == set(range(2, 10))
    for n in range(2, 10):
        probability = math.log((n + 1) / n) / math.log(10 / 2)
        error = (probability * (1 - probability) / count) ** 0.5
        assert abs(lengths.count(n) / count - probability) < 4 * error


def test_fixed_lengths_are_fixed() -> None:
    assert Fixed(shortest=3, longest=9).length(seed=0, index=5, finished_loops=2) == 3


def test_memory_does_not_grow_with_the_horizon() -> None:
    peaks = []
    for steps in (10, 1000):
        problem = quadratic(objective="average", steps=steps, dimension=500)
        meta = problem.initial_meta(0)
        estimator = Truncated(mode="windows", online=True, window=5)
        carry = estimator.start(problem, meta, 0)
        with PeakBytes(torch.device("cpu")) as peak:
            estimator.estimate(problem, meta, carry)
        peaks.append(peak.bytes)
    assert peaks[0] == peaks[1]


def test_the_final_objective_is_refused() -> None:
    problem = quadratic()
    with pytest.raises(ValueError, match="every slice needs a loss of its own"):
        slices(problem, problem.initial_meta(0), 1)
