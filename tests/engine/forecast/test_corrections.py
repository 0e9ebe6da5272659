"""What finished runs teach about the next one's time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.forecast.corrections import (
    MOST_GROUPS,
    OF_ESTIMATOR,
    OF_MACHINE,
    OF_PAIR,
    OF_PROBLEM,
    OF_RUN,
    OF_TASK,
    Observation,
    corrections_from,
    expected_ratio,
    group_of,
)
from engine.forecast.records import Correction, Group

RATIOS = st.floats(-3.0, 3.0)


def group(task: str = "mlp", estimator: str = "truncated", problem: str = "") -> Group:
    return Group(inner_task=task, problem=problem or task, estimator=estimator)


def seen(log_ratio: float, *, of: Group | None = None, as_: str = "") -> Observation:
    return Observation(of or group(), configuration=as_ or f"{log_ratio}", log_ratio=log_ratio)


def several(log_ratio: float, count: int, *, apart: float = 0.0) -> list[Observation]:
    """`count` configurations whose mean is `log_ratio`, alternately `apart` above and below."""
    return [
        seen(log_ratio + (apart if index % 2 else -apart), as_=str(index)) for index in range(count)
    ]


def test_with_nothing_measured_the_rates_are_believed_within_wide_limits() -> None:
    nothing = expected_ratio([], group())
    low, high = nothing.interval()
    assert nothing.factor == 1.0
    assert low == pytest.approx(1.0 / high)
    assert high > 2.0


@given(ratio=RATIOS, count=st.integers(1, 50))
def test_a_group_approaches_its_own_mean_run_by_run(ratio: float, count: int) -> None:
    def location(runs: int) -> float:
        own = Correction(group=group(), log_ratio=ratio, log_deviation=0.0, runs=runs)
        return expected_ratio([own], group()).location

    assert abs(ratio - location(count + 1)) <= abs(ratio - location(count)) <= abs(ratio) / 5


@settings(max_examples=20)
@given(ratio=RATIOS, apart=st.floats(0.0, 1.0))
def test_many_runs_decide_alone(ratio: float, apart: float) -> None:
    learned = expected_ratio(corrections_from(several(ratio, 2000, apart=apart)), group())
    low, high = learned.interval()
    assert learned.location == pytest.approx(ratio, abs=0.01)
    # The normal distribution has 90 % within 1.645 standard deviations.
    assert math.log(high / low) / 2 == pytest.approx(1.645 * apart, abs=0.05)


@given(ratios=st.lists(RATIOS, min_size=1, max_size=8), repetitions=st.integers(2, 5))
def test_repetitions_of_a_configuration_count_once(ratios: list[float], repetitions: int) -> None:
    once = [seen(ratio, as_=str(index)) for index, ratio in enumerate(ratios)]
    [first], [again] = corrections_from(once), corrections_from(once * repetitions)
    assert (first.group, first.runs) == (again.group, again.runs)
    assert again.log_ratio == pytest.approx(first.log_ratio, abs=1e-9)


@given(ratios=st.lists(RATIOS, min_size=2, max_size=8))
def test_the_order_of_the_runs_says_nothing(ratios: list[float]) -> None:
    runs = [
        seen(ratio, of=group(estimator=f"e{index % 3}"), as_=str(index))
        for index, ratio in enumerate(ratios)
    ]
    target = group(estimator="e0")
    forwards = expected_ratio(corrections_from(runs), target)
    backwards = expected_ratio(corrections_from(reversed(runs)), target)
    assert backwards.location == pytest.approx(forwards.location, abs=1e-9)
    assert backwards.scale == pytest.approx(forwards.scale)


@given(runs=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), RATIOS)))
def test_what_is_known_of_others_never_makes_less_certain(
    runs: list[tuple[str, str, float]],
) -> None:
    """As far as the runs of each group lie apart as expected."""
    learned = corrections_from(
        seen(ratio, of=group(task, estimator), as_="the only one")
        for task, estimator, ratio in runs
    )
    target = group("a", "x")
    assert expected_ratio(learned, target).scale <= expected_ratio([], target).scale + 1e-12


def test_the_nearest_runs_decide_most() -> None:
    known, far = group(estimator="evolution"), group("cnn")
    learned = corrections_from(
        [
            *(seen(2.0, of=known, as_=str(index)) for index in range(30)),
            *(seen(-1.0, of=far, as_=str(index)) for index in range(30)),
        ]
    )
    assert [correction.group for correction in learned] == [known, far]

    def expected(target: Group) -> float:
        return expected_ratio(learned, target).location

    assert expected(known) == pytest.approx(2.0, abs=0.1)
    nearer = [
        known, group(estimator="implicit"), group(estimator="implicit", problem="wider"),
        group("lstm", "implicit"), group("lstm"), group("cnn", "implicit"),
    ]  # fmt: skip
    locations = [expected(target) for target in nearer]
    assert locations == sorted(locations, reverse=True)
    assert expected(far) < locations[-1]


def test_one_group_measured_often_does_not_make_another_certain() -> None:
    learned = corrections_from(several(0.5, 200, apart=0.02))
    known = expected_ratio(learned, group()).interval()
    unknown = expected_ratio(learned, group("lstm", "evolution")).interval()
    assert known[1] / known[0] < 1.2
    assert unknown[1] / unknown[0] > 3.0


@pytest.mark.parametrize("runs", [1, 3, 8])
@pytest.mark.parametrize("known", [True, False])
def test_intervals_hold_nine_of_ten(runs: int, known: bool) -> None:
    """Simulated labs: one machine, two inner tasks of two problems each, three estimators, `runs`
    of each group; of the one that is predicted too, or none."""
    source = np.random.default_rng(runs)
    groups = [
        group(task, estimator, f"{task}{size}")
        for task in "ab" for size in (1, 2) for estimator in "xyz"
    ]  # fmt: skip
    held, labs = 0, 1000
    for _ in range(labs):
        drawn: dict[object, float] = {}

        def term(key: object, deviation: float, drawn: dict[object, float] = drawn) -> float:
            return drawn.setdefault(key, source.normal(0.0, deviation))

        def centre(of: Group, term=term) -> float:
            return (
                term("machine", OF_MACHINE)
                + term(of.inner_task, OF_TASK)
                + term(of.problem, OF_PROBLEM)
                + term(of.estimator, OF_ESTIMATOR)
                + term((of.inner_task, of.estimator), OF_PAIR)
            )

        observations = [
            seen(centre(own) + source.normal(0.0, OF_RUN), of=own, as_=str(index))
            for own in (groups if known else groups[1:])
            for index in range(runs)
        ]
        low, high = expected_ratio(corrections_from(observations), groups[0]).interval()
        held += low <= math.exp(centre(groups[0]) + source.normal(0.0, OF_RUN)) <= high
    assert 0.88 <= held / labs <= 0.97


def test_a_problem_is_an_inner_task_with_its_options() -> None:
    narrow, wide = ({"kind": "image_mlp", "hidden": [width]} for width in (16, 32))
    assert group_of(narrow, "unrolled") == group_of(dict(reversed(narrow.items())), "unrolled")
    assert group_of(narrow, "unrolled").problem != group_of(wide, "unrolled").problem
    assert group_of(narrow, "unrolled").inner_task == "image_mlp"


def test_of_very_many_groups_the_first_are_learned_from() -> None:
    many = (seen(0.1, of=group(problem=str(index))) for index in range(2 * MOST_GROUPS))
    learned = corrections_from(many)
    assert [own.group.problem for own in learned] == [str(index) for index in range(MOST_GROUPS)]
