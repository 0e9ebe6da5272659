"""Traces compute values where that is quicker, and say the same as shapes alone."""

from __future__ import annotations

import pytest

from engine.forecast import forecasting, quickest
from engine.forecast.forecasting import forecast
from engine.forecast.quickest import quickest_for_estimates, quickest_for_tests
from engine.forecast.records import EstimatorForecast
from engine.forecast.subject_cache import subject_of
from engine.spec import Experiment
from tests.engine.forecast.test_peaks import experiment

PYTHON_NUMBERS = 128
"""Bytes of tensors that are made of Python's numbers, which shapes alone count as well."""

DECAY = {"meta_parameters": [{"kind": "weight_decay"}], "inner": {"steps": 40}}

WEIGHTS = {
    "inner_task": {"kind": "image_mlp", "dataset": "digits", "label_noise": 0.4},
    "meta_parameters": [{"kind": "example_weights"}],
    "probes": {"test": True},
}
ESTIMATORS = {
    "backpropagation": {"kind": "unrolled", "storage": "full"},
    "checkpoints": {"kind": "unrolled", "storage": "checkpoint"},
    "window": {"kind": "truncated", "window": 5},
    "conjugate gradients": {"kind": "implicit", "solver": "cg", "iterations": 8},
    "exact solution": {"kind": "implicit", "solver": "exact"},
    "forward mode": {"kind": "forward_mode"},
    "evolution": {"kind": "evolution", "particles": 16},
    "windows of evolution": {"kind": "evolution", "mode": "pes", "window": 5, "particles": 16},
}
CONVOLUTIONAL = {"kind": "image_cnn", "dataset": "digits", "channels": [32, 64]}
LARGE = {"inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": [8192, 8192]}}


def by(tensors: str, spec: Experiment, monkeypatch: pytest.MonkeyPatch) -> EstimatorForecast:
    chosen = subject_of(spec, tensors)
    monkeypatch.setattr(forecasting, "quickest_for_estimates", lambda *_: chosen)
    [found] = forecast(spec)
    assert found.how == "traced"
    return found


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS.keys())
def test_values_change_nothing(estimator: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = experiment(estimator, DECAY)
    shapes, values = (by(tensors, spec, monkeypatch) for tensors in ("fake", "computed"))
    assert values.run_bytes == pytest.approx(shapes.run_bytes, abs=PYTHON_NUMBERS)
    assert values.run.flops == pytest.approx(shapes.run.flops)
    assert values.run.operations == pytest.approx(shapes.run.operations, rel=0.01)
    assert values.run.hessian_vector_products == shapes.run.hessian_vector_products
    assert values.estimate.bytes_moved == pytest.approx(shapes.estimate.bytes_moved, rel=0.001)


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS.keys())
def test_a_small_learner_is_traced_with_values(estimator: dict) -> None:
    spec = experiment(estimator, DECAY)
    [options] = spec.estimators
    assert quickest_for_estimates(spec, options).tensors == "computed"
    assert quickest_for_tests(spec).tensors == "computed"


@pytest.mark.parametrize(
    "changes",
    [LARGE, {"inner_task": {**CONVOLUTIONAL, "batch_size": 1_000}}],
    ids=["parameters", "batch"],
)
def test_a_large_one_by_its_shapes(changes: dict) -> None:
    spec = experiment(ESTIMATORS["window"], changes)
    [options] = spec.estimators
    assert quickest_for_estimates(spec, options).tensors == "fake"
    assert quickest_for_tests(spec).tensors == "fake"


def test_many_together_by_their_shapes_but_tests_of_one_with_values() -> None:
    spec = experiment({"kind": "evolution", "particles": 100_000, "chunk": 50_000}, {})
    [options] = spec.estimators
    assert quickest_for_estimates(spec, options).tensors == "fake"
    assert quickest_for_tests(spec).tensors == "computed"


@pytest.mark.parametrize("bound", ["MOST_SECONDS", "MOST_BYTES"])
def test_either_bound_decides_alone(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (experiment({**ESTIMATORS["evolution"], "chunk": chunk}, {}) for chunk in (1, 2))
    step = subject_of(one).step_work()
    arithmetic = (
        step.flops / quickest.FLOPS_PER_SECOND + step.bytes_moved / quickest.BYTES_PER_SECOND
    )
    limit = {"MOST_SECONDS": arithmetic / step.operations, "MOST_BYTES": step.bytes_moved}[bound]
    monkeypatch.setattr(quickest, bound, 1.5 * limit)
    assert quickest_for_estimates(one, one.estimators[0]).tensors == "computed"
    assert quickest_for_estimates(two, two.estimators[0]).tensors == "fake"


def test_what_a_picture_picks_by_values_is_no_matter_with_values() -> None:
    """The weights of wrong labels are told apart by a mask: how many there are is a value."""
    [found] = forecast(experiment(ESTIMATORS["checkpoints"], WEIGHTS))
    assert found.how == "traced"
