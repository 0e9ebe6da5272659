"""Evolution by windows: what each mode is unbiased for, and how its pairs live on."""

import io

import pytest
import torch

from engine import estimate, trees
from engine.estimators import Evolution
from engine.probes.memory import PeakBytes
from tests.engine.problems import influence_balancing, quadratic

UNBIASED = ["pes", "noise_reuse"]
MODES = ["truncated_es", *UNBIASED]


def whole_loops(problem, draws: int, **options) -> torch.Tensor:
    """Independent estimates of the whole meta-gradient; shape [draws, dim θ]."""
    estimator, meta = Evolution(**options), problem.initial_meta(0)
    carry = estimator.start(problem, meta, 0)
    found = [estimator.whole_loop(problem, meta, {**carry, "draw": n}) for n in range(draws)]
    return torch.stack([trees.flat(one.gradient) for one in found])


def in_a_run(problem, draws: int, calls: int, **options) -> torch.Tensor:
    """The last of `calls` estimates in a row, of independent runs; shape [draws, dim θ]."""
    estimator, meta = Evolution(**options), problem.initial_meta(0)
    found = []
    for run in range(draws):
        carry = {**estimator.start(problem, meta, 0), "draw": run * calls}
        for _ in range(calls):
            one, carry = estimator.estimate(problem, meta, carry)
        found.append(trees.flat(one.gradient))
    return torch.stack(found)


def assert_mean(draws: torch.Tensor, expected: torch.Tensor | float) -> None:
    """Within four standard errors."""
    error = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) - expected).abs() <= 4 * error + 1e-12).all()


class TestInfluenceBalancing:
    """From the steady state: near influences −4 a step, all of them together +24."""

    options = {"window": 1, "particles": 1000, "sigma": 0.1}

    @pytest.mark.parametrize("objective", ["final", "average"])
    def test_without_the_sum_of_perturbations_only_the_last_step_counts(self, objective) -> None:
        problem = influence_balancing(20, objective=objective)
        assert_mean(whole_loops(problem, 12, mode="truncated_es", **self.options), -4.0)

    def test_persistent_pairs_and_reused_noise_see_far_and_the_latter_more_clearly(self) -> None:
        problem = influence_balancing(100)
        persistent, reused = (
            whole_loops(problem, 12, mode=mode, **{**self.options, "window": 5})
            for mode in UNBIASED
        )
        assert_mean(persistent, 24.0)
        assert_mean(reused, 24.0)
        # A pair that keeps its ε gives ε² g on a quadratic, of variance 2 g².
        assert float(reused.std()) == pytest.approx(24.0 * (2 / 500) ** 0.5, rel=0.6)
        assert float(persistent.std()) > 5 * float(reused.std())


@pytest.mark.parametrize("objective", ["final", "average"])
@pytest.mark.parametrize("mode", UNBIASED)
class TestUnbiased:
    """F is quadratic in the initialisation, so the smoothed gradient is g* itself; T = 12 has
    windows of 5, 5 and 2."""

    options = {"window": 5, "sigma": 0.3}

    def test_over_a_whole_loop(self, mode: str, objective: str) -> None:
        problem = quadratic({"kind": "initialisation"}, steps=12, objective=objective, noise=0.2)
        exact = trees.flat(problem.exact(problem.initial_meta(0), 0)[1])
        assert_mean(whole_loops(problem, 100, mode=mode, particles=16, **self.options), exact)

    @pytest.mark.parametrize(("particles", "calls"), [(12, 1), (4, 1), (4, 3)])
    def test_at_the_first_estimate_and_later(self, mode, objective, particles, calls) -> None:
        """With a pair at every window, and with fewer pairs than windows."""
        problem = quadratic({"kind": "initialisation"}, steps=12, objective=objective)
        exact = trees.flat(problem.exact(problem.initial_meta(0), 0)[1])
        draws = in_a_run(problem, 80, calls, mode=mode, particles=particles, **self.options)
        assert_mean(draws, exact)


@pytest.mark.parametrize("learned", ["initialisation", "learning_rate"])
@pytest.mark.parametrize("objective", ["final", "average"])
def test_the_bias_of_truncated_es_is_that_of_truncated_windows(learned, objective) -> None:
    """Both cut the gradient between windows, and between them alone."""
    problem = quadratic({"kind": learned}, steps=12, objective=objective)
    windows = {"kind": "truncated", "mode": "windows", "window": 5}
    cut = trees.flat(estimate(problem, windows, problem.initial_meta(0)).gradient)
    # A loss is quadratic in w_0, but not in the learning rate: there σ must be small.
    sigma = {"initialisation": 0.3, "learning_rate": 1e-4}[learned]
    options = {"mode": "truncated_es", "window": 5, "sigma": sigma}
    assert_mean(whole_loops(problem, 100, particles=16, **options), cut)
    assert_mean(in_a_run(problem, 80, 2, particles=12, **options), cut)


@pytest.mark.parametrize("objective", ["final", "average"])
def test_a_whole_loop_with_reused_noise_is_the_antithetic_estimate(objective: str) -> None:
    problem = quadratic({"kind": "learning_rate"}, steps=12, objective=objective, noise=0.2)
    meta = problem.initial_meta(0)
    antithetic = estimate(problem, {"kind": "evolution"}, meta)
    reused = estimate(problem, {"kind": "evolution", "mode": "noise_reuse", "window": 5}, meta)
    assert reused.meta_loss == pytest.approx(antithetic.meta_loss, rel=1e-12)
    assert reused.cost.inner_steps == antithetic.cost.inner_steps
    assert float(reused.gradient["learning_rate"]) == pytest.approx(
        float(antithetic.gradient["learning_rate"]), rel=1e-9
    )


@pytest.mark.parametrize("objective", ["final", "average"])
@pytest.mark.parametrize("mode", MODES)
def test_one_window_of_the_whole_loop_is_the_antithetic_estimate(mode, objective) -> None:
    problem = quadratic(steps=12, objective=objective)
    meta = problem.initial_meta(0)
    antithetic = Evolution()
    expected, _ = antithetic.estimate(problem, meta, antithetic.start(problem, meta, 0))
    estimator = Evolution(mode=mode, window=12)
    found = estimator.whole_loop(problem, meta, estimator.start(problem, meta, 0))
    assert torch.equal(found.gradient["learning_rate"], expected.gradient["learning_rate"])
    assert found.meta_loss == expected.meta_loss


def test_a_start_spreads_the_pairs_and_its_steps_are_counted() -> None:
    problem = quadratic(steps=12)
    meta = problem.initial_meta(0)
    estimator = Evolution(mode="pes", window=5, particles=12)
    carry = estimator.start(problem, meta, 0)
    steps, times = [], []
    for _ in range(4):
        found, carry = estimator.estimate(problem, meta, carry)
        steps.append(found.cost.inner_steps)
        times.append(sorted(group["t"] for group in carry["groups"]))
    # Two pairs at each window: those at the second and third have run the ones before it.
    assert steps == [4 * (5 + 10 + 12), 4 * 12, 4 * 12, 4 * 12]
    assert times == [[0, 5, 10]] * 4
    assert sum(group["pairs"] for group in carry["groups"]) == 6


def test_pairs_that_are_fewer_than_windows_are_spread_evenly() -> None:
    problem = quadratic(steps=24)
    meta = problem.initial_meta(0)
    estimator = Evolution(mode="noise_reuse", window=2, particles=6)
    _, carry = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
    first, second, third = sorted(group["t"] for group in carry["groups"])
    assert (second - first, third - second) == (8, 8)


@pytest.mark.parametrize("mode", MODES)
def test_a_trajectory_keeps_its_seed_and_a_new_one_takes_the_present_one(mode: str) -> None:
    """As under fresh inner seeds, which the outer loop puts into the carry."""
    problem = quadratic(steps=12, noise=0.2)
    meta = problem.initial_meta(0)
    estimator = Evolution(mode=mode, window=4, particles=6)
    carry = estimator.start(problem, meta, 100)
    for seed in range(100, 107):
        at_the_start = [group["t"] == 0 for group in carry.get("groups", [])]
        before = [_seeds(group) for group in carry.get("groups", [])]
        _, carry = estimator.estimate(problem, meta, {**carry, "seed": seed})
        after = [_seeds(group) for group in carry["groups"]]
        for new, old, now in zip(at_the_start, before, after, strict=False):
            assert now in ({seed} if new else old, set())


def _seeds(group: dict) -> set[int]:
    """The seeds in the inner states of a group; none at the start of a loop."""
    return set(group["state"]["seed"].tolist()) if group["state"] else set()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_carry_from_a_file_goes_on_bitwise_in_the_middle_of_trajectories(mode, after) -> None:
    problem = quadratic(
        {"kind": "learning_rate"}, {"kind": "momentum"},
        optimizer={"kind": "momentum"}, steps=12, noise=0.2,
    )  # fmt: skip
    meta = problem.initial_meta(0)
    estimator = Evolution(mode=mode, window=5, particles=8)
    carry = estimator.start(problem, meta, 0)
    for _ in range(after):
        _, carry = estimator.estimate(problem, meta, carry)
    file = io.BytesIO()
    torch.save(carry, file)
    file.seek(0)
    restored = torch.load(file, weights_only=True)
    for seed in (7, 8, 9, 10):
        found, carry = estimator.estimate(problem, meta, {**carry, "seed": seed})
        again, restored = estimator.estimate(problem, meta, {**restored, "seed": seed})
        assert torch.equal(trees.flat(found.gradient), trees.flat(again.gradient))
        assert found.meta_loss == again.meta_loss


def test_the_meta_loss_is_that_of_the_whole_loop() -> None:
    for objective in ("final", "average"):
        problem = quadratic(steps=12, objective=objective)
        meta = problem.initial_meta(0)
        truth = problem.exact(meta, 0)[0]
        estimator = Evolution(mode="pes", window=5, particles=12, sigma=1e-6)
        found, _ = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
        assert found.meta_loss == pytest.approx(truth, rel=1e-4)


def test_memory_does_not_grow_with_the_horizon() -> None:
    peaks = []
    for steps in (20, 200):
        problem = quadratic(objective="average", steps=steps, dimension=500)
        meta = problem.initial_meta(0)
        estimator = Evolution(mode="pes", window=5, particles=4)
        carry = estimator.start(problem, meta, 0)
        with PeakBytes(torch.device("cpu")) as peak:
            for _ in range(4):
                _, carry = estimator.estimate(problem, meta, carry)
        peaks.append(peak.bytes)
    assert peaks[1] < 1.1 * peaks[0]


def test_a_window_longer_than_the_horizon_is_refused() -> None:
    problem = quadratic(steps=5)
    with pytest.raises(ValueError, match="window: 6 is longer than the horizon; at most 5"):
        estimate(
            problem, {"kind": "evolution", "mode": "pes", "window": 6}, problem.initial_meta(0)
        )
