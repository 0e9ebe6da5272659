"""From counted work to seconds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.forecast.corrections import group_of
from engine.forecast.records import (
    Calibration,
    Correction,
    EstimatorForecast,
    Machine,
    Rates,
    Work,
)
from engine.forecast.seconds import rated_seconds, with_time
from engine.spec import validate

RATES = Rates(
    operation_seconds=1e-5,
    flops_per_second=1e11,
    double_flops_per_second=5e10,
    bytes_per_second=1e10,
)
CPU = Machine(name="cpu@host", device="cpu", memory_bytes=8e9, rates=RATES)
GPU = CPU.model_copy(update={"name": "gpu0@host", "device": "cuda"})
FIGURES = st.floats(0.0, 1e12)
WORK = st.builds(Work, operations=FIGURES, flops=FIGURES, bytes_moved=FIGURES)
EXPERIMENT = validate({"inner_task": {"kind": "quadratic", "dimension": 2}})
GROUP = group_of(EXPERIMENT.inner_task.model_dump(mode="json"), "unrolled")


def forecast_of(work: Work, *, outer_steps: int = 10, probes: Work | None = None):
    return EstimatorForecast(
        spec={"kind": "unrolled"},
        label="unrolled",
        peak_bytes=0,
        parts={},
        resident_bytes=0,
        probe_bytes=0,
        run_bytes=0,
        estimate=work,
        run=work * outer_steps,
        probes=probes or Work(),
    )


@given(work=WORK, more=WORK, times=st.floats(0.0, 1e3))
def test_time_adds_up_on_a_cpu(work: Work, more: Work, times: float) -> None:
    alone = rated_seconds(work, CPU, "float32"), rated_seconds(more, CPU, "float32")
    together = rated_seconds(work + more * times, CPU, "float32")
    assert together == pytest.approx(alone[0] + times * alone[1])


@given(work=WORK)
def test_a_gpu_hides_the_calls_behind_the_arithmetic_or_the_reverse(work: Work) -> None:
    one_by_one = rated_seconds(work, CPU, "float32")
    assert one_by_one / 2 <= rated_seconds(work, GPU, "float32") <= one_by_one


def test_each_precision_has_its_own_rate() -> None:
    work = Work(flops=1e11)
    assert rated_seconds(work, CPU, "float32") == pytest.approx(1.0)
    assert rated_seconds(work, CPU, "float64") == pytest.approx(2.0)


def test_rates_must_have_been_measured() -> None:
    unmeasured = CPU.model_copy(update={"rates": None})
    with pytest.raises(ValueError, match="cpu@host"):
        rated_seconds(Work(), unmeasured, "float32")
    forecasts = [forecast_of(Work(operations=1.0))]
    assert with_time(forecasts, EXPERIMENT, None) == forecasts
    assert with_time(forecasts, EXPERIMENT, Calibration(machine=unmeasured)) == forecasts


def test_what_other_runs_teach_is_left_aside_for_compiled_code() -> None:
    slow = Correction(group=GROUP, log_ratio=2.0, log_deviation=0.1, runs=20)
    calibration = Calibration(machine=CPU, corrections=[slow])
    plain = forecast_of(Work(operations=10.0))
    compiled = plain.model_copy(update={"compiled": True})
    [corrected] = with_time([plain], EXPERIMENT, calibration)
    [found] = with_time([compiled], EXPERIMENT, calibration)
    [unlearned] = with_time([compiled], EXPERIMENT, Calibration(machine=CPU))
    assert found == unlearned
    assert found.seconds < corrected.seconds / 2
    assert found.seconds_high > 2 * found.seconds


@given(work=WORK, ratio=st.floats(-2.0, 2.0), runs=st.integers(0, 20))
def test_the_interval_holds_the_prediction(work: Work, ratio: float, runs: int) -> None:
    corrections = []
    if runs:
        corrections = [Correction(group=GROUP, log_ratio=ratio, log_deviation=0.3, runs=runs)]
    calibration = Calibration(machine=CPU, corrections=corrections)
    [timed] = with_time([forecast_of(work, probes=work)], EXPERIMENT, calibration)
    assert timed.seconds_low <= timed.seconds <= timed.seconds_high
    assert timed.seconds == pytest.approx(11 * timed.step_seconds)


def test_runs_of_the_same_kind_correct_the_prediction() -> None:
    own = Correction(group=GROUP, log_ratio=math.log(3.0), log_deviation=0.1, runs=1000)
    calibration = Calibration(machine=CPU, corrections=[own])
    [timed] = with_time([forecast_of(Work(operations=1e5))], EXPERIMENT, calibration)
    assert timed.step_seconds == pytest.approx(3.0, rel=0.01)
    assert timed.seconds == pytest.approx(30.0, rel=0.01)
    assert timed.seconds_high / timed.seconds_low == pytest.approx(math.exp(0.329), rel=0.05)
