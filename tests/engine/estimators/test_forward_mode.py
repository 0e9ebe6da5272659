"""Forward mode along random directions: the mean and the variance that its formula has."""

import math

import pytest
import torch

from engine import estimate, trees
from engine.estimators import build_estimator
from engine.probes.memory import PeakBytes
from engine.spec import SpecError, read_text
from engine.testing_problems import Recurrence
from tests.engine.problems import EVERY_HYPER_PARAMETER, quadratic

MOMENTUM = {"kind": "momentum", "learning_rate": 0.1, "momentum": 0.5}
DRAWS = 200


def estimates(problem, draws: range, **options):
    estimator = build_estimator({"kind": "forward_mode", **options})
    meta = problem.initial_meta(0)
    carry = estimator.start(problem, meta, 0)
    found = [estimator.estimate(problem, meta, {**carry, "draw": draw})[0] for draw in draws]
    return torch.stack([trees.flat(one.gradient) for one in found])


@pytest.mark.parametrize("directions", [1, 4])
def test_unbiased_with_the_variance_of_random_signs(directions) -> None:
    """tr Cov ĝ = (dim θ − 1) ‖g*‖² / m."""
    problem = quadratic(*EVERY_HYPER_PARAMETER, optimizer=MOMENTUM, steps=3)
    _, gradient = problem.exact(problem.initial_meta(0), 0)
    exact = trees.flat(gradient)
    found = estimates(problem, range(DRAWS), random_directions=directions)
    error = found - exact
    assert (error.mean(0).abs() < 4 * found.std(0) / math.sqrt(DRAWS)).all()
    squared = error.square().sum(1)
    expected = float((len(exact) - 1) * exact.square().sum() / directions)
    standard_error = float(squared.std()) / math.sqrt(DRAWS)
    assert abs(float(squared.mean()) - expected) < 4 * standard_error + 1e-9 * expected


def test_one_meta_parameter_leaves_nothing_to_chance() -> None:
    problem = quadratic()
    exact = trees.flat(problem.exact(problem.initial_meta(0), 0)[1])
    for found in estimates(problem, range(5), random_directions=1):
        assert (found - exact).abs() < 1e-9 * exact.abs()


def test_the_directions_do_not_depend_on_how_many_go_together() -> None:
    problem = quadratic(*EVERY_HYPER_PARAMETER, optimizer=MOMENTUM)
    whole, *others = (
        estimates(problem, range(2), random_directions=7, chunk=chunk) for chunk in (7, 3, 1)
    )
    for other in others:
        torch.testing.assert_close(other, whole, rtol=1e-9, atol=0.0)


def test_steps_are_counted_by_tangents() -> None:
    problem = quadratic({"kind": "initialisation"}, steps=5)
    for options, tangents, chunks in (
        ({"chunk": 3}, 7, 3),
        ({"random_directions": 4, "chunk": 3}, 4, 2),
    ):
        estimator = build_estimator({"kind": "forward_mode", **options})
        meta = problem.initial_meta(0)
        found, _ = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
        assert found.cost.inner_steps == 5 * chunks
        assert found.cost.hessian_vector_products == 5 * tangents


def test_too_many_meta_parameters_are_refused_to_the_exact_form_only() -> None:
    wide = (
        "inner_task: {kind: quadratic, dimension: 20001}\n"
        "meta_parameters: [{kind: initialisation}]\nestimators: [{kind: forward_mode%s}]"
    )
    with pytest.raises(SpecError, match="use random_directions, or unrolled"):
        read_text(wide % "")
    [options] = read_text(wide % ", random_directions: 8").estimators
    assert options.stochastic
    assert not options.exact
    assert options.label == "Forward mode, 8 random directions"


def test_tangents_go_together_as_far_as_their_memory_allows() -> None:
    problem = quadratic({"kind": "initialisation"}, dimension=400, steps=3)
    meta = problem.initial_meta(0)
    exact = problem.exact(meta, 0)[1]
    chunks, peaks = [], []
    for limit in (50e3, 200e3, 1e9):
        estimator = build_estimator({"kind": "forward_mode", "chunk_bytes": limit})
        carry = estimator.start(problem, meta, 0)
        with PeakBytes(torch.device("cpu")) as peak:
            found, _ = estimator.estimate(problem, meta, carry)
        torch.testing.assert_close(found.gradient, exact, rtol=1e-9, atol=1e-12)
        chunks.append(carry["chunk"])
        peaks.append(peak.bytes)
    assert chunks[0] < chunks[1] / 3 < chunks[2] / 9
    # The directions and the gradient itself come on top of the tangents.
    for chunk, peak, limit in zip(chunks[:2], peaks, (50e3, 200e3), strict=False):
        assert peak < 1.2 * limit + (2 * chunk + 10) * 400 * 8


@pytest.mark.parametrize("some", [None, 2])
def test_a_part_of_theta_may_be_empty(some: int | None) -> None:
    problem = Recurrence(dtype=torch.float64)
    meta = problem.initial_meta(0)
    spec = {"kind": "forward_mode", "random_directions": some}
    expected = estimate(problem, spec, meta).gradient
    empty = torch.zeros(0, 2, dtype=torch.float64)
    found = estimate(problem, spec, {**meta, "nothing": empty}).gradient
    assert found.pop("nothing").shape == (0, 2)
    for name, leaf in expected.items():
        torch.testing.assert_close(found[name], leaf, rtol=1e-12, atol=0.0)
