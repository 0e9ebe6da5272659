"""REINFORCE on architectures: unbiased against the sum over all of them, and what it may not do."""

import pytest
import torch

from engine import estimate, trees
from engine.building import build_problem
from engine.estimators import build_estimator
from engine.estimators.reinforce import losses_of
from engine.rolling import roll
from engine.spec import SpecError, validate
from engine.testing_problems import Lottery

TASK = {
    "kind": "architecture_choice", "batch_size": 6, "train_examples": 60,
    "validation_examples": 50,
}  # fmt: skip
DOCUMENT = {
    "inner_task": TASK,
    "inner": {"steps": 3, "optimizer": {"kind": "sgd", "learning_rate": 0.3}},
    "meta_parameters": [{"kind": "controller", "units": 3}],
    "estimators": [{"kind": "reinforce", "samples": 8}],
    "precision": "float64",
    "device": "cpu",
}


@pytest.fixture(scope="module")
def problem():
    return build_problem(validate(DOCUMENT))


@pytest.fixture(scope="module")
def decided(problem):
    """A policy that prefers some architectures: at the start all are nearly alike."""
    source = torch.Generator().manual_seed(3)
    return {
        name: torch.randn(leaf.shape, generator=source, dtype=leaf.dtype)
        for name, leaf in problem.initial_meta(0).items()
    }


def test_probabilities_sum_to_one_and_draws_follow_them(problem, decided) -> None:
    probabilities = problem.probabilities(decided)
    assert probabilities.sum().item() == pytest.approx(1.0)
    drawn = problem.sample(decided, 4000, torch.Generator().manual_seed(0))
    base = torch.tensor([24, 8, 2, 1])
    counts = torch.bincount((drawn * base).sum(-1), minlength=96)
    spread = (4000 * probabilities * (1 - probabilities)).sqrt()
    assert ((counts - 4000 * probabilities).abs() <= 5 * spread + 1).all()


def test_the_oracle_is_the_derivative_of_the_sum_over_all_choices(problem, decided) -> None:
    losses, _ = problem.exhaustive_search(0)
    loss, exact = problem.exact(decided, 0)
    assert loss == pytest.approx(float(problem.probabilities(decided) @ losses))
    gradient = trees.flat(exact)
    unit = gradient / gradient.norm()
    parts = unit.split([leaf.numel() for leaf in decided.values()])

    def expected(distance):
        moved = {
            name: leaf + distance * part.reshape(leaf.shape)
            for (name, leaf), part in zip(decided.items(), parts, strict=True)
        }
        return float(problem.probabilities(moved) @ losses)

    slope = (expected(1e-5) - expected(-1e-5)) / 2e-5
    assert abs(slope - gradient.norm()) < 1e-6 * gradient.norm()


@pytest.mark.parametrize("baseline", ["leave_one_out", "moving_average", "none"])
def test_estimates_are_unbiased(problem, decided, baseline) -> None:
    """Many choices an estimate: rare ones move the mean, and must be among them."""
    draws = draws_of(problem, decided, baseline, samples=400)
    exact = trees.flat(problem.exact(decided, 0)[1])
    standard_error = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) - exact).abs() <= 4 * standard_error + 1e-12).all()


def test_a_baseline_takes_variance_off(problem, decided) -> None:
    variance = {
        baseline: float(draws_of(problem, decided, baseline, samples=6).var(0).sum())
        for baseline in ("leave_one_out", "moving_average", "none")
    }
    assert max(variance["leave_one_out"], variance["moving_average"]) < 0.2 * variance["none"]


def draws_of(problem, meta, baseline: str, *, samples: int) -> torch.Tensor:
    """Estimates with draws of their own, all from the carry of a second call; flat, [30, dim θ]."""
    estimator = build_estimator({"kind": "reinforce", "samples": samples, "baseline": baseline})
    _, carry = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
    carries = [{**carry, "draw": draw} for draw in range(1, 31)]
    found = [estimator.estimate(problem, meta, carry)[0] for carry in carries]
    return torch.stack([trees.flat(one.gradient) for one in found])


def test_the_entropy_bonus_adds_its_own_gradient() -> None:
    """Of −β H(π), in the mean of many draws, beside that of the expectation."""
    problem, beta = Lottery(dtype=torch.float64), 0.7
    meta = problem.initial_meta(0)
    theta = trees.tracked_meta(meta)
    score = problem.log_probability(theta, problem.places)
    (score.exp() * score).sum().mul(beta).backward()
    bonus = torch.cat([leaf.grad.flatten() for leaf in theta.values()])
    spec = {"kind": "reinforce", "samples": 100_000, "entropy_bonus": beta}
    found = trees.flat(estimate(problem, spec, meta).gradient)
    plain = trees.flat(estimate(problem, {**spec, "entropy_bonus": 0.0}, meta).gradient)
    torch.testing.assert_close(found - plain, bonus, rtol=0.0, atol=0.02)
    assert bonus.norm() > 0.1


def test_architectures_trained_together_are_those_trained_alone(problem) -> None:
    meta = problem.initial_meta(0)
    choices = torch.tensor([[0, 0, 1, 0], [3, 2, 2, 1], [1, 1, 3, 0]])
    together = losses_of(problem, meta, choices, 0, chunk=2)
    for choice, loss in zip(choices, together, strict=True):
        state = problem.initial_state_of(choice, meta, 0)
        alone = roll(problem, state, meta, 0, problem.horizon)[1]
        torch.testing.assert_close(loss, alone)


def test_a_small_architecture_is_the_network_that_torch_would_build(problem) -> None:
    choice = torch.tensor([1, 1, 1, 1])  # two layers of 8 tanh units, the second with a skip
    params = problem.initial_state_of(choice, problem.initial_meta(0), 0)["params"]
    inputs = problem.task.validation.inputs
    first = torch.tanh(inputs @ params["layers.0.weight"][:8].T + params["layers.0.bias"][:8])
    weight, bias = params["layers.1.weight"][:8, :8], params["layers.1.bias"][:8]
    second = first + torch.tanh(first @ weight.T + bias)
    expected = second @ params["head.weight"][:, :8].T + params["head.bias"]
    found = problem.task.logits({**params, "choice": choice}, inputs)
    torch.testing.assert_close(found, expected)
    assert 0.9 * 8**-0.5 < weight.abs().max() <= 8**-0.5  # as a layer with 8 inputs starts


def test_figures_and_pictures(problem, decided) -> None:
    figures = problem.test_figures(decided, 0)
    _, accuracies = problem.exhaustive_search(0)
    assert figures["test_accuracy_random"] == pytest.approx(float(accuracies.mean()))
    assert 1 <= figures["architecture_rank"] <= 96
    policy, decisions = problem.pictures(decided, 0)
    accuracy, now, before = policy.drawing.lines
    assert accuracy.y == sorted(accuracy.y, reverse=True)
    assert sum(now.y) == pytest.approx(1.0)
    assert sum(before.y) == pytest.approx(1.0)
    assert before.dashed
    chosen = int(problem.probabilities(decided).argmax())
    certain = torch.tensor([edge.weight for edge in decisions.drawing.edges]).prod()
    assert float(certain) == pytest.approx(float(problem.probabilities(decided)[chosen]))


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"estimators": [{"kind": "unrolled"}]}, "estimators.0.kind", "allowed: reinforce"),
        ({"estimators": [{"kind": "evolution"}]}, "estimators.0.kind", "allowed: reinforce"),
        ({"estimators": [{"kind": "elites"}]}, "estimators.0.kind", "allowed: reinforce"),
        (
            {"meta_parameters": [{"kind": "learning_rate"}]},
            "meta_parameters",
            "allowed: controller",
        ),
        (
            {"inner_task": {"kind": "image_mlp"}, "meta_parameters": [{"kind": "learning_rate"}]},
            "estimators.0.kind",
            "allowed meta-parameters: controller",
        ),
        (
            {"inner_task": {"kind": "image_mlp"}},
            "meta_parameters.0.kind",
            "allowed inner_task.kind: architecture_choice",
        ),
        (
            {"estimators": [{"kind": "reinforce", "samples": 1}]},
            "estimators.0.baseline",
            "a single choice has no others",
        ),
    ],
)
def test_what_cannot_work_is_refused(changes, path, message) -> None:
    with pytest.raises(SpecError) as refused:
        validate({**DOCUMENT, **changes})
    assert any(e.path == path and message in str(e) for e in refused.value.errors)


def test_problems_without_a_policy_are_refused(problem) -> None:
    plain = build_problem(validate({"inner_task": {"kind": "quadratic"}}))
    with pytest.raises(ValueError, match="draws choices"):
        estimate(plain, {"kind": "reinforce"}, plain.initial_meta(0))
