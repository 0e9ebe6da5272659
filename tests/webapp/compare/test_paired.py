"""The paired test against SciPy's own, its effect size against the noncentral t, Holm's order."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from webapp.compare.paired import FEWEST_PAIRS, holm, paired_t

shares = st.floats(min_value=0.0, max_value=1.0)


@pytest.mark.parametrize("n", [3, 4, 10, 40])
@pytest.mark.parametrize("shift", [0.0, 0.3, -2.0])
def test_it_is_the_paired_t_test_of_scipy(n: int, shift: float) -> None:
    generator = np.random.default_rng(n)
    one, other = generator.normal(size=n), generator.normal(size=n) + shift
    found = paired_t(other - one)
    expected = stats.ttest_rel(other, one)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-10)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-10)
    assert found.n == n


@pytest.mark.parametrize("shift", [0.0, 0.5, -1.5, 40.0])
def test_the_interval_of_the_effect_leaves_a_fortieth_on_each_side(shift: float) -> None:
    d = np.random.default_rng(1).normal(size=6) + shift
    found = paired_t(d)
    t = d.mean() / (d.std(ddof=1) / math.sqrt(6))
    assert found.effect == pytest.approx(t / math.sqrt(6))
    for end, share in ((found.effect_low, 0.975), (found.effect_high, 0.025)):
        assert stats.nct.cdf(t, 5, end * math.sqrt(6)) == pytest.approx(share, abs=1e-5)


def test_three_differences_by_hand() -> None:
    """Of 1, 2, 3 the mean is 2 and the spread 1; with two degrees of freedom the t distribution
    has the closed form P(|t| > x) = 1 − x/√(x² + 2)."""
    found = paired_t([1.0, 2.0, 3.0])
    t = 2.0 * math.sqrt(3)
    assert (found.mean, found.effect) == (2.0, 2.0)
    assert found.p == pytest.approx(1 - t / math.sqrt(t**2 + 2), rel=1e-12)
    quantile = 0.95 * math.sqrt(2 / (1 - 0.95**2))
    assert found.high == pytest.approx(2 + quantile / math.sqrt(3), rel=1e-12)


def test_too_few_and_equal_differences_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 3 pairs; 2 given"):
        paired_t([1.0] * (FEWEST_PAIRS - 1))
    with pytest.raises(ValueError, match="spread is zero"):
        paired_t([0.1, 0.1, 0.1])


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.2]) == [0.2]
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(shares, min_size=1, max_size=12))
def test_holm_keeps_the_order_and_lies_between_none_and_bonferroni(ps: list[float]) -> None:
    corrected = holm(ps)
    for p, own in zip(ps, corrected, strict=True):
        assert p <= own <= min(1.0, len(ps) * p) + 1e-15
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    assert [corrected[i] for i in order] == sorted(corrected)
