"""Labels of logarithmic axes: round, few, and around the curve whatever its span."""

import math
from itertools import pairwise

import pytest

from webapp.exports.metrics import Unit
from webapp.exports.ticks import MOST_LABELS, log_ticks, tick_label


def in_sight(low: float, high: float) -> list[float]:
    return [tick for tick in log_ticks(low, high) if low / 1.5 <= tick <= high * 1.5]


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.3, 0.4), (1.0, 1.0), (0.02, 0.9), (1e-6, 1e-2), (5e6, 2e9)],
)
def test_ticks_are_few_round_rising_and_reach_past_both_ends(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    assert ticks == sorted(set(ticks))
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert len(in_sight(low, high)) <= MOST_LABELS
    for tick in ticks:
        mantissa = float(f"{tick:.6e}".split("e")[0])
        assert mantissa in (1, 2, 5)


def test_a_short_span_has_ones_twos_and_fives() -> None:
    assert in_sight(0.1, 1.0) == pytest.approx([0.1, 0.2, 0.5, 1.0])


def test_a_longer_span_has_whole_decades() -> None:
    assert in_sight(1e-3, 10.0) == pytest.approx([1e-3, 1e-2, 0.1, 1.0, 10.0])


@pytest.mark.parametrize(("low", "high"), [(1e-15, 1e15), (3e-300, 4e300), (5e-324, 1.7e308)])
def test_a_very_long_span_has_decades_evenly_apart(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    exponents = [round(math.log10(tick)) for tick in ticks]
    apart = {b - a for a, b in pairwise(exponents)}
    assert len(apart) == 1
    assert apart.pop() > 1
    assert 3 <= len(in_sight(low, high)) <= MOST_LABELS


@pytest.mark.parametrize("value", [1.7e308, 1e-307])
def test_the_largest_and_smallest_numbers_have_labels_that_are_floats(value: float) -> None:
    ticks = log_ticks(value, value)
    assert ticks
    assert all(0 < tick < math.inf for tick in ticks)


@pytest.mark.parametrize(
    ("value", "unit", "label"),
    [
        (0.05, "", "0.05"),
        (1.0, "", "1"),
        (2000.0, "", "2000"),
        (1e-6, "", "1e−6"),
        (5e7, "", "5e7"),
        (0.2, "s", "200 ms"),
        (2e6, "B", "2 MB"),
    ],
)
def test_labels_have_no_digit_that_says_nothing(value: float, unit: Unit, label: str) -> None:
    assert tick_label(value, unit) == label
