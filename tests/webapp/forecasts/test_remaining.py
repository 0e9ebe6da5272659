"""What runs still take: the forecast at first, and at the end their own pace."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from webapp.forecasts.of_runs import of_experiment
from webapp.forecasts.remaining import NONE, Seconds, remaining_of
from webapp.forecasts.totals import _side_by_side
from webapp.runs.models import Run, Status

NOW = timezone.now()
positive = st.floats(1.0, 1e6)
factor = st.floats(1.0, 20.0)


@st.composite
def forecasts(draw: st.DrawFn) -> Seconds:
    expected = draw(positive)
    return Seconds(expected, expected / draw(factor), expected * draw(factor))


def running(step: int, elapsed: float, *, total: int = 100) -> Run:
    started = NOW - timedelta(seconds=elapsed)
    return Run(status=Status.RUNNING, step=step, total_steps=total, started_at=started)


@given(forecast=forecasts(), step=st.integers(0, 100), elapsed=positive)
def test_the_interval_holds_what_is_expected(forecast: Seconds, step: int, elapsed: float) -> None:
    left = remaining_of(running(step, elapsed), forecast, NOW)
    assert 0.0 <= left.low <= left.expected * (1 + 1e-9)
    assert left.expected <= left.high * (1 + 1e-9)


@given(forecast=forecasts(), elapsed=st.floats(1e-3, 1e3), steps=st.lists(
    st.integers(1, 99), min_size=2, max_size=2, unique=True
))  # fmt: skip
def test_the_interval_closes_and_the_pace_takes_over(
    forecast: Seconds, elapsed: float, steps: list[int]
) -> None:
    early, late = (
        remaining_of(running(step, elapsed * step), forecast, NOW) for step in sorted(steps)
    )
    assert late.high / late.low <= early.high / early.low * (1 + 1e-9)
    nearly = remaining_of(running(10**6 - 1, elapsed * (10**6 - 1), total=10**6), forecast, NOW)
    assert nearly.expected == pytest.approx(elapsed, rel=1e-3)


@given(forecast=forecasts(), step=st.integers(1, 99))
def test_a_run_that_keeps_to_its_forecast_is_told_so(forecast: Seconds, step: int) -> None:
    elapsed = max(forecast.expected * step / 100, 1e-3)
    left = remaining_of(running(step, elapsed), forecast, NOW)
    assert left.expected == pytest.approx(elapsed / step * (100 - step), rel=1e-2)


def test_before_the_first_step_the_time_that_went_by_counts() -> None:
    left = remaining_of(running(0, 4.0), Seconds(10.0, 3.0, 30.0), NOW)
    assert (left.expected, left.low, left.high) == pytest.approx((6.0, 0.0, 26.0))


def test_what_is_known_of_other_runs() -> None:
    forecast = Seconds(10.0, 5.0, 20.0)
    ended = Run(status=Status.FINISHED, step=100, total_steps=100)
    queued = Run(status=Status.QUEUED, step=0, total_steps=100)
    assert remaining_of(ended, forecast, NOW) == NONE
    assert remaining_of(queued, forecast, NOW) == forecast
    assert remaining_of(queued, None, NOW) is None
    assert remaining_of(running(0, 5.0), None, NOW) is None
    assert remaining_of(running(50, 5.0), None, NOW).expected == pytest.approx(5.0)


@given(runs=st.lists(forecasts(), min_size=1, max_size=8), slots=st.integers(1, 10))
def test_runs_beside_each_other_take_no_less_than_the_longest_and_their_share(
    runs: list[Seconds], slots: int
) -> None:
    whole = _side_by_side(runs, slots)
    total = sum(run.expected for run in runs)
    assert whole.expected >= max(run.expected for run in runs)
    assert whole.expected >= total / slots * (1 - 1e-9)
    assert whole.expected <= total * (1 + 1e-9)
    assert whole.low <= whole.expected <= whole.high


@pytest.mark.django_db
def test_a_pace_alone_has_no_range() -> None:
    # By the clock of now, to which minutes since this file was read are nothing.
    month = timedelta(days=30).total_seconds()
    said = of_experiment(1, [running(50, month), running(0, 5.0)])
    assert (said.remaining, said.unknown) == ("about 30 days", 1)
