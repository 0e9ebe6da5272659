"""Changes against a pinned configuration: shares, tests over common seeds, why there are none."""

import math

import pytest

from tests.webapp.exports.curves import curve, run
from webapp.compare.baseline import Against, against
from webapp.compare.statistics import summarise

NAN = math.nan


def pinned(metric: str = "meta_loss", **values: dict[int, float]) -> Against:
    """Label → seed → last value; the first is the baseline."""
    runs, series = [], {}
    for label, of_seeds in values.items():
        for seed, value in of_seeds.items():
            made = run(len(runs) + 1, seed=seed, label=label)
            runs.append(made)
            series[made.pk] = {metric: curve(value)}
    table = summarise(runs, series)
    return against(table, table.rows[0])


def only(found: Against, name: str = "meta_loss"):
    (change,) = [c for c in found.changes.values() if c.metric.name == name]
    return change


def seeds(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_common_seeds_are_paired_and_the_rest_is_left_out() -> None:
    found = only(pinned(a={0: 1.0, 1: 2.0, 2: 3.0, 7: 99.0}, b={0: 2.0, 1: 3.5, 2: 4.0, 8: 0.0}))
    assert found.n == 3
    assert found.paired.mean == pytest.approx((1.0 + 1.5 + 1.0) / 3)
    assert found.corrected == found.paired.p, "one test needs no correction"


def test_holm_counts_the_configurations_of_a_metric() -> None:
    changes = pinned(
        a=seeds(1.0, 2.0, 3.0), b=seeds(2.0, 3.1, 4.05), c=seeds(0.9, 2.2, 3.1), d=seeds(1.0, 2.0)
    ).changes.values()
    by_label = {c.row.configuration.label: c for c in changes if c.metric.name == "meta_loss"}
    assert by_label["b"].corrected == pytest.approx(2 * by_label["b"].paired.p)
    assert by_label["c"].corrected == pytest.approx(by_label["c"].paired.p)
    assert by_label["d"].reason == "N = 2: no test"
    assert by_label["b"].direction == "worse"
    assert by_label["c"].verdict == "no difference that the seeds agree on"


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (seeds(1.5), "N = 1: no test"),
        (seeds(1.5, 2.5), "N = 2: no test"),
        ({9: 1.0}, "no seed in common: no test"),
        (seeds(1.0, 2.0, 3.0), "equal in every seed: no test"),
        (seeds(2.0, 3.0, 4.0), "differs equally in every seed: no test"),
        (seeds(2.0, NAN, 4.0), "not finite with seed 1: no test"),
    ],
)
def test_where_there_is_no_test_it_says_why(other: dict[int, float], reason: str) -> None:
    found = only(pinned(a=seeds(1.0, 2.0, 3.0), b=other))
    assert (found.reason, found.paired, found.corrected) == (reason, None, None)


def test_shares_are_of_the_baseline_and_signed() -> None:
    assert only(pinned(a=seeds(2.0), b=seeds(1.0))).share_text == "−50 %"
    assert only(pinned(a=seeds(-2.0), b=seeds(-1.0))).share_text == "+50 %"
    assert only(pinned(a=seeds(2.0), b=seeds(2.0))).share_text == "±0"
    assert only(pinned(a=seeds(0.0), b=seeds(2.0))).share_text == ""
    assert only(pinned(a=seeds(1.0), b=seeds(NAN))).share_text == ""


def test_higher_can_be_better() -> None:
    found = only(pinned("cosine", a=seeds(0.1, 0.2, 0.3), b=seeds(0.9, 0.99, 1.1)), "cosine")
    assert (found.direction, found.p_text) == ("better", "p < 0.001")
