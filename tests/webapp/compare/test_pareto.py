"""The front against its definition, the staircase by hand, and cuts at equal cost."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webapp.exports.curves import curve
from webapp.compare.costs import Limit, cut
from webapp.compare.pareto import front, staircase

points = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=20)
signs = st.tuples(st.sampled_from([1, -1]), st.sampled_from([1, -1]))


def dominates(a: tuple, b: tuple, sign: tuple) -> bool:
    gains = [s * (theirs - ours) for s, ours, theirs in zip(sign, a, b, strict=True)]
    return all(gain >= 0 for gain in gains) and any(gain > 0 for gain in gains)


@given(points, signs)
def test_the_front_is_what_nothing_dominates(found: list[tuple[int, int]], sign: tuple) -> None:
    x, y = zip(*found, strict=True)
    expected = {i for i, own in enumerate(found) if not any(dominates(o, own, sign) for o in found)}
    kept = front(x, y, sign)
    assert set(kept) == expected
    assert [x[i] for i in kept] == sorted(x[i] for i in kept)


def test_the_staircase_goes_over_what_is_worse() -> None:
    assert staircase([1, 2, 4], [9, 5, 3], (1, 1)) == ([1, 2, 2, 4, 4], [9, 9, 5, 5, 3])
    # Where higher is better in both, the corner is the lower of the two.
    assert staircase([1, 2], [9, 5], (-1, -1)) == ([1, 1, 2], [9, 5, 5])


def test_a_cut_keeps_what_was_reached_within_the_cost() -> None:
    series = {
        1: {"seconds": curve(1.0, 2.0, 3.0), "meta_loss": curve(9.0, 8.0, 7.0)},
        2: {"seconds": curve(2.0, 4.0, 6.0), "meta_loss": curve(5.0, 4.0, 3.0)},
        3: {"meta_loss": curve(1.0)},
        4: {"seconds": curve(7.0), "meta_loss": curve(1.0)},
    }
    kept = cut(series, Limit("seconds", 4.0))
    assert kept[1]["meta_loss"][1].tolist() == [9.0, 8.0, 7.0]
    assert kept[2]["meta_loss"][1].tolist() == [5.0, 4.0]
    assert 3 not in kept, "what it cost is not known"
    assert kept[4] == {}, "its first step cost more"


def test_memory_counts_by_its_largest_peak_so_far() -> None:
    series = {
        1: {
            "peak_bytes": (np.array([0, 5, 10]), np.array([2e6, 4e6, 1e6])),
            "meta_loss": curve(*range(12)),
        }
    }
    assert len(cut(series, Limit("peak_bytes", 3e6))[1]["meta_loss"][0]) == 5
    assert len(cut(series, Limit("peak_bytes", 4e6))[1]["meta_loss"][0]) == 12


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=30), st.floats(0.0, 2000.0))
def test_nothing_that_is_kept_cost_more(steps: list[float], at: float) -> None:
    spent = np.cumsum(steps)
    series = {1: {"seconds": curve(*spent), "meta_loss": curve(*steps)}}
    kept = cut(series, Limit("seconds", at)).get(1, {})
    count = len(kept.get("meta_loss", ([], []))[0])
    assert count == int(np.sum(spent <= at))


def test_what_was_never_measured_has_no_place() -> None:
    series = {1: {"seconds": curve(math.nan), "meta_loss": curve(1.0)}}
    assert cut(series, Limit("seconds", 4.0)) == {}


@pytest.mark.parametrize(
    ("cost", "at", "words"),
    [
        ("seconds", 12.0, "at most 12 s"),
        ("inner_steps", 4000.0, "at most 4,000 inner steps"),
        ("peak_bytes", 2.5e6, "at most 2.5 MB"),
    ],
)
def test_a_limit_says_what_it_is(cost: str, at: float, words: str) -> None:
    assert Limit(cost, at).words == words
