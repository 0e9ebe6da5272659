"""What holds of forecasts whatever the sizes are: growth, sizes beyond any machine, the cache."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.chunking import MOST_TOGETHER
from engine.data import DataMissing
from engine.forecast import forecasting
from engine.forecast.forecasting import forecast
from engine.forecast.subject_cache import subject_of
from engine.forecast.uncompiled import COMPILING
from engine.spec import Experiment, validate
from tests.engine.forecast.test_peaks import experiment, measured_peak

HORIZONS = st.integers(2, 100_000)


def peak(estimator: dict, steps: int, **changes) -> int:
    [found] = forecast(experiment(estimator, {"inner": {"steps": steps}, **changes}))
    assert sum(found.parts.values()) == found.peak_bytes
    return found.peak_bytes


@settings(max_examples=40, deadline=None)
@given(HORIZONS, HORIZONS)
def test_a_longer_inner_loop_never_needs_less(one: int, other: int) -> None:
    short, long = sorted((one, other))
    for storage in ("full", "per_step"):
        estimator = {"kind": "unrolled", "storage": storage}
        assert peak(estimator, short) <= peak(estimator, long)


@settings(max_examples=40, deadline=None)
@given(st.integers(50, 100_000))
def test_checkpoints_need_no_more_than_a_full_graph(steps: int) -> None:
    full, checkpoint = (
        peak({"kind": "unrolled", "storage": storage}, steps) for storage in ("full", "checkpoint")
    )
    assert checkpoint < full


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 500), st.integers(500, 99_000))
def test_a_window_needs_its_own_graph_whatever_the_horizon(window: int, steps: int) -> None:
    estimator = {"kind": "truncated", "window": window}
    assert peak(estimator, steps + 10) == peak(estimator, steps + 1_000)


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 499_999))
def test_more_particles_never_need_less(pairs: int) -> None:
    fewer, more = (
        peak({"kind": "evolution", "particles": 2 * count, "chunk": 4}, 50)
        for count in (pairs, pairs + 1)
    )
    assert fewer <= more


def test_sizes_beyond_any_machine() -> None:
    """T = 100,000 on a wide network, and 10⁶ particles: nothing of these sizes is allocated."""
    wide = {"inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": [8192, 8192]}}
    unrolled, evolution = {"kind": "unrolled", "storage": "full"}, {"kind": "evolution"}
    assert peak(unrolled, 100_000, **wide) > 1e13
    weights = {"meta_parameters": [{"kind": "initialisation"}]}
    many = peak({**evolution, "particles": 1_000_000}, 50, **wide, **weights)
    assert many > 1_000_000 * 8192 * 8192 * 4


def test_a_million_particles_of_a_few_bytes_go_together_as_far_as_a_spec_may_say() -> None:
    toy = {"inner_task": {"kind": "toy_regression"}, "device": "cpu"}
    most = peak({"kind": "evolution", "particles": 1_000_000}, 20, **toy)
    chunked = peak({"kind": "evolution", "particles": 1_000_000, "chunk": MOST_TOGETHER}, 20, **toy)
    assert most == chunked


def test_another_horizon_is_answered_from_the_same_traces(monkeypatch) -> None:
    estimator = {"kind": "unrolled", "storage": "full"}
    before = peak(estimator, 50)
    subject = subject_of(experiment(estimator, {"inner": {"steps": 50}}))

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a new trace")

    monkeypatch.setattr("engine.forecast.subjects.traced", never)
    assert peak(estimator, 4_000) > before
    assert subject_of(experiment(estimator, {"inner": {"steps": 4_000}})) is subject


def test_who_asked_for_a_trace_first_changes_nothing(monkeypatch) -> None:
    """A segment of three steps is traced for a schedule of checkpoints, and is one of the two
    traces of a full graph."""
    full = {"kind": "unrolled", "storage": "full"}
    monkeypatch.setattr("engine.forecast.subject_cache._SUBJECTS", OrderedDict())
    alone = peak(full, 100)
    monkeypatch.setattr("engine.forecast.subject_cache._SUBJECTS", OrderedDict())
    peak({"kind": "unrolled", "storage": "checkpoint", "segment": 3}, 6)
    assert peak(full, 100) == alone


def test_the_exact_solver_needs_its_matrices() -> None:
    quadratic = {"inner_task": {"kind": "quadratic", "dimension": 80}}
    solver = {"kind": "implicit", "solver": "exact"}
    spec = experiment(solver, {**quadratic, "meta_parameters": [{"kind": "weight_decay"}]})
    [found] = forecast(spec)
    assert found.peak_bytes == pytest.approx(measured_peak(spec), rel=0.05)
    assert found.parts["solver"] >= 4 * 80 * 80 * 4


def test_what_shapes_do_not_tell_is_measured(monkeypatch) -> None:
    def defeated(*_: object) -> None:
        raise NotImplementedError("an operation without a rule for fakes")

    spec = experiment({"kind": "unrolled", "storage": "checkpoint"}, {"inner": {"steps": 12}})
    monkeypatch.setattr("engine.forecast.fakes._Copying.__call__", defeated)
    monkeypatch.setattr("engine.forecast.subject_cache._SUBJECTS", OrderedDict())
    [found] = forecast(spec)
    assert found.how == "measured"
    assert found.peak_bytes == pytest.approx(measured_peak(spec), rel=0.02)


def test_what_is_too_large_to_be_tried_is_said(monkeypatch) -> None:
    spec = experiment({"kind": "unrolled"}, {})
    monkeypatch.setattr(forecasting, "MOST_MEASURED_PARAMETERS", 10)
    monkeypatch.setattr(forecasting, "_of_one", _defeated)
    with pytest.raises(RuntimeError, match="without running it"):
        forecast(spec)


def test_a_missing_data_set_names_its_command(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MLAB_DATA", str(tmp_path))
    spec = validate({"inner_task": {"kind": "image_mlp", "dataset": "fashion_mnist"}})
    with pytest.raises(DataMissing, match="fetch"):
        forecast(spec)


def test_the_order_and_the_counts_are_those_of_the_spec() -> None:
    estimators = [{"kind": "evolution", "particles": 6}, {"kind": "unrolled", "storage": "full"}]
    spec: Experiment = experiment(estimators[0], {"outer": {"steps": 5, "meta_batch": 2}})
    spec = validate({**spec.model_dump(mode="json"), "estimators": estimators})
    by_particles, exact = forecast(spec)
    assert by_particles.spec["kind"] == "evolution"
    assert by_particles.run.inner_steps == 5 * 2 * 6 * 13
    assert exact.estimate.inner_steps == 2 * 13
    twice = spec.model_copy(update={"outer": spec.outer.model_copy(update={"steps": 10})})
    more = forecast(twice)[1].run.operations - exact.run.operations
    assert more == pytest.approx(5 * exact.estimate.operations)
    assert exact.run.operations > more, "its two inner loops are made one at the start"
    assert exact.run_bytes >= exact.peak_bytes + exact.resident_bytes


def test_a_compiled_inner_loop_calls_less_once_it_is_compiled() -> None:
    compiled, traced = (
        forecast(experiment({"kind": "unrolled"}, {"inner": {"steps": 20, "program": program}}))[0]
        for program in ("compiled", "traced")
    )
    assert compiled.compiled
    assert compiled.notes == [forecasting.COMPILED]
    assert compiled.estimate.operations < traced.estimate.operations / 3
    assert 1.0 <= compiled.estimate.flops / traced.estimate.flops < 1.3, "each way back goes forth"
    # A way forward and a way back are compiled, once in a run.
    once = compiled.run.operations - 2 * compiled.estimate.operations
    assert once == pytest.approx(2 * COMPILING)


def test_the_chunks_of_particles_that_go_together_are_not_compiled() -> None:
    evolution = {"kind": "evolution", "particles": 8, "chunk": 8}
    compiled, traced = (
        forecast(experiment(evolution, {"inner": {"steps": 20, "program": program}}))[0]
        for program in ("compiled", "traced")
    )
    assert compiled.estimate.operations == pytest.approx(traced.estimate.operations, rel=0.05)


def _defeated(*_: object) -> None:
    raise NotImplementedError("an operation without a rule for fakes")
