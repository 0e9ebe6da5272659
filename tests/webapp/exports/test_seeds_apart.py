"""Seeds that have come differently far, as they have while an experiment runs."""

import numpy as np
import plotly.graph_objects as plotly
import pytest

from tests.webapp.exports.curves import seeds
from webapp.exports.figures import build_figure
from webapp.exports.metrics import METRICS
from webapp.exports.plotly_figure import plotly_figure


def drawn(first: list[float], second: list[float], *, metric: str = "meta_loss", **options):
    series = {
        pk: {metric: (np.arange(len(values)), np.array(values))}
        for pk, values in ((1, first), (2, second))
    }
    return build_figure(seeds(2), series, METRICS[metric], **options)


def test_a_mean_over_fewer_seeds_is_not_joined_to_the_one_before() -> None:
    figure = drawn([1.0, 1.0, 1.0, 1.0], [3.0, 3.0])
    (trace,) = figure.traces
    assert trace.n.tolist() == [2, 2, 1, 1]
    band, line = plotly_figure(figure)["data"]
    assert line["x"] == [0.0, 1.0, 2.0, 2.0, 3.0]
    assert line["y"] == [2.0, 2.0, None, 1.0, 1.0]
    assert len(line["customdata"]) == len(line["x"])
    assert max(band["x"]) == 1.0


def test_smoothing_does_not_carry_one_mean_into_the_other() -> None:
    (trace,) = drawn([1.0, 1.0, 1.0, 1.0], [3.0, 3.0], smoothing=0.9).traces
    np.testing.assert_allclose(trace.y, [2.0, 2.0, 1.0, 1.0])


def test_the_axis_of_a_cosine_shows_its_limits() -> None:
    low, high = plotly_figure(drawn([0.9, 1.0], [1.0, 1.0], metric="cosine"))["layout"]["yaxis"][
        "range"
    ]
    assert -0.1 < low < 0
    assert 1 < high < 1.1
    assert drawn([-0.5], [-0.5], metric="cosine").y_range == (-1.05, 1.05)


@pytest.mark.parametrize("x", ["step", "seconds", "inner_steps"])
@pytest.mark.parametrize("scale", ["auto", "log", "linear"])
def test_the_page_gets_what_plotly_knows(x: str, scale: str) -> None:
    """Plotly's own schema refuses a property or a value that it does not have."""
    figure = drawn([1.0, 0.0, float("nan"), 2.0], [3.0, 2.0], x=x, scale=scale, smoothing=0.5)
    assert plotly.Figure(plotly_figure(figure)).data is not None
