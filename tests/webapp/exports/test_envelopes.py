"""Many runs as envelopes: quantiles as NumPy has them, and which runs share one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.webapp.exports.curves import curve, run
from webapp.exports.csv_figure import csv_figure
from webapp.exports.envelopes import MOST_ENVELOPES, MOST_IN_FULL, drawn_groups, envelope
from webapp.exports.figures import build_figure
from webapp.exports.metrics import METRICS

tables = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(1, 6)),
    elements=st.floats(-1e6, 1e6) | st.just(math.nan) | st.just(math.inf),
)


@given(tables)
def test_quantiles_are_those_of_numpy_over_what_is_finite(table: np.ndarray) -> None:
    band, low, high = envelope([curve(*row) for row in table])
    for column in range(table.shape[1]):
        finite = table[np.isfinite(table[:, column]), column]
        found = low[column], band.mean[column], high[column]
        expected = np.quantile(finite, [0.1, 0.5, 0.9]) if len(finite) else [math.nan] * 3
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
        assert band.n[column] == len(finite)


def test_a_run_that_is_behind_counts_where_it_has_been() -> None:
    band, _, _ = envelope([curve(1.0, 2.0, 9.0), curve(3.0, 4.0)])
    assert band.mean.tolist() == [2.0, 3.0, 9.0]
    assert band.n.tolist() == [2, 2, 1]


def many(count: int, labels: int) -> list:
    return [run(pk + 1, seed=pk, label=f"label {pk % labels}") for pk in range(count)]


def test_up_to_fifty_runs_are_drawn_in_full() -> None:
    runs = many(MOST_IN_FULL, 40)
    assert len(drawn_groups(runs)) == 40
    series = {each.pk: {"meta_loss": curve(1.0, 2.0)} for each in runs}
    figure = build_figure(runs, series, METRICS["meta_loss"])
    assert {trace.surrounds for trace in figure.traces} == {"standard_error", None}


def test_more_are_one_envelope_a_configuration() -> None:
    runs = many(MOST_IN_FULL + 10, 2)
    series = {each.pk: {"meta_loss": curve(1.0 + each.seed, 2.0)} for each in runs}
    figure = build_figure(runs, series, METRICS["meta_loss"])
    assert [trace.surrounds for trace in figure.traces] == ["quantiles"] * 2
    first = figure.traces[0]
    assert first.y[0] == pytest.approx(np.median(np.arange(1, 60, 2)))
    assert first.lower[0] == pytest.approx(np.quantile(np.arange(1, 60, 2), 0.1))
    assert "from the 10 % to the 90 % quantile" in figure.note
    assert "10 % to 90 % of the runs" in csv_figure(figure)


def test_more_configurations_than_can_be_told_apart_are_one_an_estimator() -> None:
    (group,) = drawn_groups(many(60, MOST_ENVELOPES + 1))
    assert (group.label, len(group.runs)) == ("unrolled, 60 runs", 60)
