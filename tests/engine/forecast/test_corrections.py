"""What finished runs teach about the next one's time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.forecast.corrections import (
    OF_ESTIMATOR,
    OF_KIND,
    OF_MACHINE,
    OF_RUN,
    OF_TASK,
    Observation,
    corrections_from,
    expected_ratio,
    kind_of,
)
from engine.forecast.records import Correction

RATIOS = st.floats(-3.0, 3.0)


def seen(log_ratio: float, *, of: str = "mlp", by: str = "truncated", as_: str = "") -> Observation:
    configuration = as_ or f"{log_ratio}"
    return Observation(
        inner_task=of, estimator=by, configuration=configuration, log_ratio=log_ratio
    )


def several(log_ratio: float, count: int, *, apart: float = 0.0) -> list[Observation]:
    """`count` configurations whose mean is `log_ratio`, alternately `apart` above and below."""
    return [
        seen(log_ratio + (apart if index % 2 else -apart), as_=str(index)) for index in range(count)
    ]


def test_with_nothing_measured_the_rates_are_believed_within_wide_limits() -> None:
    nothing = expected_ratio({}, "mlp", "truncated")
    low, high = nothing.interval()
    assert nothing.factor == 1.0
    assert low == pytest.approx(1.0 / high)
    assert high > 3.0


@given(ratio=RATIOS, count=st.integers(1, 50))
def test_a_kind_approaches_its_own_mean_run_by_run(ratio: float, count: int) -> None:
    def location(runs: int) -> float:
        own = Correction(log_ratio=ratio, log_deviation=0.0, runs=runs)
        return expected_ratio({kind_of("mlp", "truncated"): own}, "mlp", "truncated").location

    assert abs(ratio - location(count + 1)) <= abs(ratio - location(count)) <= abs(ratio) / 5


@settings(max_examples=20)
@given(ratio=RATIOS, apart=st.floats(0.0, 1.0))
def test_many_runs_decide_alone(ratio: float, apart: float) -> None:
    learned = expected_ratio(
        corrections_from(several(ratio, 2000, apart=apart)), "mlp", "truncated"
    )
    low, high = learned.interval()
    assert learned.location == pytest.approx(ratio, abs=0.01)
    # The normal distribution has 90 % within 1.645 standard deviations.
    assert math.log(high / low) / 2 == pytest.approx(1.645 * apart, abs=0.05)


@given(ratios=st.lists(RATIOS, min_size=1, max_size=8), repetitions=st.integers(2, 5))
def test_repetitions_of_a_configuration_count_once(ratios: list[float], repetitions: int) -> None:
    once = [seen(ratio, as_=str(index)) for index, ratio in enumerate(ratios)]
    first, again = corrections_from(once), corrections_from(once * repetitions)
    assert first.keys() == again.keys()
    for kind, correction in first.items():
        assert again[kind].runs == correction.runs
        assert again[kind].log_ratio == pytest.approx(correction.log_ratio, abs=1e-9)


@given(ratios=st.lists(RATIOS, min_size=2, max_size=8))
def test_the_order_of_the_runs_says_nothing(ratios: list[float]) -> None:
    runs = [seen(ratio, by=f"e{index % 3}", as_=str(index)) for index, ratio in enumerate(ratios)]
    forwards = expected_ratio(corrections_from(runs), "mlp", "e0")
    backwards = expected_ratio(corrections_from(reversed(runs)), "mlp", "e0")
    assert backwards.location == pytest.approx(forwards.location, abs=1e-9)
    assert backwards.scale == pytest.approx(forwards.scale)


@given(runs=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), RATIOS)))
def test_what_is_known_of_others_never_makes_less_certain(
    runs: list[tuple[str, str, float]],
) -> None:
    """As far as the runs of each kind lie apart as expected."""
    learned = corrections_from(
        seen(ratio, of=task, by=estimator, as_="the only one") for task, estimator, ratio in runs
    )
    assert expected_ratio(learned, "a", "x").scale <= expected_ratio({}, "a", "x").scale + 1e-12


def test_the_nearest_runs_decide_most() -> None:
    learned = corrections_from(
        [
            *(seen(2.0, of="mlp", by="evolution", as_=str(index)) for index in range(30)),
            *(seen(-1.0, of="cnn", by="truncated", as_=str(index)) for index in range(30)),
        ]
    )
    assert set(learned) == {"mlp evolution", "cnn truncated"}
    own = expected_ratio(learned, "mlp", "evolution").location
    same_task = expected_ratio(learned, "mlp", "implicit").location
    same_estimator = expected_ratio(learned, "lstm", "truncated").location
    neither = expected_ratio(learned, "lstm", "implicit").location
    assert own == pytest.approx(2.0, abs=0.1)
    assert own > same_task > neither > same_estimator > -1.0


def test_one_kind_measured_often_does_not_make_another_certain() -> None:
    learned = corrections_from(several(0.5, 200, apart=0.02))
    known = expected_ratio(learned, "mlp", "truncated").interval()
    unknown = expected_ratio(learned, "mlp", "evolution").interval()
    assert known[1] / known[0] < 1.2
    assert unknown[1] / unknown[0] > 3.0


@pytest.mark.parametrize("runs", [1, 3, 8])
@pytest.mark.parametrize("known", [True, False])
def test_intervals_hold_nine_of_ten(runs: int, known: bool) -> None:
    """Simulated labs: one machine, two inner tasks, three estimators, `runs` of each kind; of the
    kind that is predicted too, or none."""
    source = np.random.default_rng(runs)
    kinds = [(task, estimator) for task in "ab" for estimator in "xyz"]
    held, labs = 0, 1000
    for _ in range(labs):
        machine = source.normal(0.0, OF_MACHINE)
        tasks = {task: source.normal(0.0, OF_TASK) for task in "ab"}
        estimators = {estimator: source.normal(0.0, OF_ESTIMATOR) for estimator in "xyz"}
        centres = {
            (task, by): machine + tasks[task] + estimators[by] + source.normal(0.0, OF_KIND)
            for task, by in kinds
        }
        observations = [
            seen(centres[task, by] + source.normal(0.0, OF_RUN), of=task, by=by, as_=str(index))
            for task, by in (kinds if known else kinds[1:])
            for index in range(runs)
        ]
        low, high = expected_ratio(corrections_from(observations), *kinds[0]).interval()
        held += low <= math.exp(centres[kinds[0]] + source.normal(0.0, OF_RUN)) <= high
    assert 0.88 <= held / labs <= 0.97
