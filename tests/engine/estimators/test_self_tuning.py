"""Self-tuning networks: the response that they learn is that of the stationary point."""

import pytest

from engine import estimate, run, trees
from engine.estimators import build_estimator
from engine.events import Point
from engine.spec import SpecError, validate
from tests.engine.problems import quadratic

DECAY = {"kind": "weight_decay", "initial": 0.3, "scale": "log"}
FAST = {"kind": "sgd", "learning_rate": 0.7}


def relative_error(found, expected) -> float:
    found, expected = trees.flat(found), trees.flat(expected)
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("granularity", ["scalar", "per_parameter"])
def test_it_approaches_the_implicit_gradient_where_the_best_response_is_known(granularity) -> None:
    """w*(λ) = h c / (h + λ)."""
    problem = quadratic(
        {**DECAY, "granularity": granularity},
        optimizer=FAST, steps=300, dimension=4, condition_number=4.0,
    )  # fmt: skip
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "self_tuning", "sigma": 1e-3}, meta)
    exact = estimate(problem, {"kind": "implicit", "solver": "exact"}, meta)
    assert relative_error(found.gradient, exact.gradient) < 1e-5
    assert found.meta_loss == pytest.approx(exact.meta_loss, rel=1e-5)


@pytest.mark.parametrize("steps", [1, 7])
def test_with_one_entry_it_is_forward_mode_up_to_the_square_of_sigma(steps) -> None:
    problem = quadratic(DECAY, steps=steps, noise=0.3)
    meta = problem.initial_meta(0)
    exact = estimate(problem, {"kind": "forward_mode"}, meta).gradient
    small, large = (
        relative_error(
            estimate(problem, {"kind": "self_tuning", "window": 1, "sigma": sigma}, meta).gradient,
            exact,
        )
        for sigma in (0.01, 0.02)
    )
    assert 0.0 < small < 1e-3
    assert large / small == pytest.approx(4.0, rel=0.05)


def test_the_response_begins_with_that_of_the_initial_parameters() -> None:
    problem = quadratic({"kind": "initialisation"}, dimension=1, steps=7)
    meta = problem.initial_meta(0)
    found = estimate(problem, {"kind": "self_tuning", "window": 1}, meta)
    exact = estimate(problem, {"kind": "forward_mode"}, meta)
    assert relative_error(found.gradient, exact.gradient) < 1e-9


def test_a_learner_goes_on_where_theta_has_moved() -> None:
    """By its response, to what the old training would have come to at the new θ."""
    problem = quadratic(DECAY, optimizer=FAST, steps=400, condition_number=4.0)
    meta = problem.initial_meta(0)
    estimator = build_estimator({"kind": "self_tuning", "window": 399, "sigma": 1e-3})
    _, carry = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
    moved = {"weight_decay": meta["weight_decay"] + 0.02}
    still, _ = estimator.estimate(problem, meta, carry)
    found, following = estimator.estimate(problem, moved, carry)
    expected = estimate(problem, {"kind": "implicit", "solver": "exact"}, moved)
    assert abs(found.meta_loss - expected.meta_loss) < 0.01 * abs(
        still.meta_loss - expected.meta_loss
    )
    assert following["t"] == 0
    assert following["state"] is None


def test_windows_of_one_learner_are_one_whole_loop() -> None:
    problem = quadratic(DECAY, {"kind": "initialisation"}, steps=12)
    meta = problem.initial_meta(0)
    estimator = build_estimator({"kind": "self_tuning", "window": 12})
    whole = estimator.whole_loop(problem, meta, estimator.start(problem, meta, 0))
    window, _ = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
    assert relative_error(window.gradient, whole.gradient) == 0.0
    short = build_estimator({"kind": "self_tuning", "window": 5})
    carry, steps = short.start(problem, meta, 0), []
    for _ in range(4):
        found, carry = short.estimate(problem, meta, carry)
        steps.append(found.cost.inner_steps)
    assert steps == [10, 10, 4, 10]


def test_it_tunes_while_it_trains() -> None:
    """Towards weight decay's best value, from both sides, in one inner loop."""
    ends = []
    for initial in (0.05, 1.0):
        document = {
            "inner_task": {"kind": "quadratic", "dimension": 4, "condition_number": 4.0},
            "inner": {"steps": 600, "optimizer": FAST},
            "meta_parameters": [{**DECAY, "initial": initial}],
            "estimators": [{"kind": "self_tuning", "window": 5}],
            "outer": {"steps": 120, "optimizer": {"kind": "adam", "learning_rate": 0.3}},
            "probes": {"every": 200, "oracle": False},
            "precision": "float64",
        }
        points = [event for event in run(validate(document)) if isinstance(event, Point)]
        ends.append(points[-1].values["theta.weight_decay"])
        assert points[-1].values["inner_steps"] == 1200
    assert ends[0] == pytest.approx(ends[1], abs=0.1)


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"meta_parameters": [{"kind": "learning_rate"}]}, "kind", "cannot learn 'learning_rate'"),
        ({"objective": "average"}, "kind", "objective 'final'"),
        ({"inner": {"steps": 9}}, "window", "inner.steps = 9"),
        (
            {"meta_parameters": [{**DECAY, "granularity": "per_parameter"}]},
            "kind",
            "at most 100 are allowed",
        ),
        (
            {
                "inner_task": {"kind": "noisy_quadratic"},
                "meta_parameters": [{"kind": "learning_rate"}],
            },
            "kind",
            "no inner loss",
        ),
    ],
)  # fmt: skip
def test_what_it_cannot_learn_is_refused(changes, path, message) -> None:
    document = {
        "inner_task": {"kind": "image_mlp"},
        "meta_parameters": [DECAY],
        "estimators": [{"kind": "self_tuning"}],
        **changes,
    }
    with pytest.raises(SpecError) as refused:
        validate(document)
    [error] = [one for one in refused.value.errors if one.path == f"estimators.0.{path}"]
    assert message in error.message


def test_a_problem_of_ones_own_must_follow_an_inner_loss() -> None:
    problem = quadratic(DECAY, objective="average")
    with pytest.raises(ValueError, match="objective final"):
        estimate(problem, {"kind": "self_tuning"}, problem.initial_meta(0))
    problem = quadratic({"kind": "initialisation"}, dimension=101)
    with pytest.raises(ValueError, match="101 entries"):
        estimate(problem, {"kind": "self_tuning"}, problem.initial_meta(0))
