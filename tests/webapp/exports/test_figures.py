"""The figure that page, paper and CSV share: bands, gaps, axes, words, and the table beside it."""

import json
import math

import numpy as np
import pytest

from tests.webapp.exports.curves import curve, figure_of, run, seeds
from webapp.experiments.models import Experiment
from webapp.exports.bands import kept_points, smooth
from webapp.exports.figures import MOST_TABLE_ROWS, build_figure
from webapp.exports.metrics import METRICS, with_tests
from webapp.exports.numbers import format_value
from webapp.exports.paper import SIZES
from webapp.exports.plotly_figure import plotly_figure
from webapp.exports.print_figure import print_figure
from webapp.exports.traces import MOST_MARKS, MOST_POINTS

NAN, INF = math.nan, math.inf
META_LOSS = METRICS["meta_loss"]


def parts(figure, part: str) -> list[dict]:
    return [data for data in plotly_figure(figure)["data"] if data["meta"]["part"] == part]


def test_a_band_is_mean_and_standard_error_over_the_seeds() -> None:
    table = np.random.default_rng(0).normal(size=(3, 20))
    figure = figure_of(*(curve(*row) for row in table))
    (trace,) = figure.traces
    error = table.std(axis=0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(trace.y, table.mean(axis=0))
    np.testing.assert_allclose(trace.lower, table.mean(axis=0) - error)
    np.testing.assert_allclose(trace.upper, table.mean(axis=0) + error)
    assert trace.seeds_stated == "N = 3"
    assert figure.note == "mean ± standard error over seeds"


def test_a_seed_that_is_behind_counts_where_it_has_been() -> None:
    figure = figure_of(curve(1.0, 2.0, 3.0, 4.0), curve(3.0, 6.0))
    (trace,) = figure.traces
    assert trace.steps.tolist() == [0, 1, 2, 3]
    assert trace.y.tolist() == [2.0, 4.0, 3.0, 4.0]
    assert trace.n.tolist() == [2, 2, 1, 1]
    # The standard deviation of two values that are d apart is d/√2, and its error d/2.
    np.testing.assert_allclose(trace.upper, [3.0, 6.0, NAN, NAN])
    np.testing.assert_allclose(trace.lower, [1.0, 2.0, NAN, NAN])
    assert trace.seeds_stated == "N = 1–2"
    assert trace.error_at(0) == 1.0
    assert trace.error_at(-1) is None
    (band,) = parts(figure, "band")
    assert (band["x"], band["y"]) == ([0, 1, 1, 0], [3.0, 6.0, 2.0, 1.0])


def test_a_single_seed_has_no_band_and_states_no_n() -> None:
    figure = figure_of(curve(1.0, 2.0))
    (trace,) = figure.traces
    assert (trace.lower, trace.upper, trace.seeds_stated) == (None, None, "")
    assert figure.note == ""
    assert parts(figure, "band") == []
    assert parts(figure, "line")[0]["customdata"] == ["1.00", "2.00"]


def measured(*values: float, low: tuple[float, ...], high: tuple[float, ...], first: int = 0):
    """Series of one run with its own confidence interval, whose points begin at step `first`."""
    return {
        "bias_relative": curve(*values),
        "bias_relative_low": curve(*low, first=first),
        "bias_relative_high": curve(*high, first=first),
    }


def test_a_single_run_has_the_confidence_interval_that_it_measured() -> None:
    own = measured(0.2, 0.4, 0.3, low=(0.1, 0.2), high=(0.5, 0.9), first=1)
    figure = build_figure(seeds(1), {1: own}, METRICS["bias_relative"])
    (trace,) = figure.traces
    np.testing.assert_equal(trace.lower, [NAN, 0.1, 0.2])
    np.testing.assert_equal(trace.upper, [NAN, 0.5, 0.9])
    assert trace.surrounds == "confidence"
    assert trace.error_at(-1) is None
    cells = [row[1] for row in figure.table()[1]]
    assert cells == ["0.200", "0.400 (0.100 to 0.500)", "0.300 (0.200 to 0.900)"]
    assert figure.text_summary().endswith("0.300 (0.200 to 0.900) at step 2.")
    assert figure.latest == "0.300"
    assert figure.note == "95 % confidence interval"
    (band,) = parts(figure, "band")
    assert (band["x"], band["y"]) == ([1, 2, 2, 1], [0.5, 0.9, 0.2, 0.1])
    assert parts(figure, "whiskers") == []


def test_an_interval_without_neighbours_is_a_whisker() -> None:
    figure = build_figure(
        seeds(1), {1: measured(0.4, low=(0.1,), high=(0.5,))}, METRICS["bias_relative"]
    )
    (whisker,) = parts(figure, "whiskers")
    assert (whisker["x"], whisker["y"]) == ([0, 0], [0.5, 0.1])
    assert parts(figure, "band") == []
    assert figure.y_range is None, "the axis has room for the whisker"


def test_over_seeds_the_band_is_that_of_the_seeds() -> None:
    own = measured(0.2, 0.4, low=(0.1, 0.3), high=(0.3, 0.5))
    figure = build_figure(seeds(2), {1: own, 2: own}, METRICS["bias_relative"])
    assert figure.traces[0].surrounds == "standard_error"
    assert figure.note == "mean ± standard error over seeds"


def test_a_bias_of_zero_keeps_its_interval_on_a_log_axis() -> None:
    own = measured(0.2, 0.0, 0.4, low=(0.1, 0.0, 0.3), high=(0.3, 0.25, 0.5))
    figure = build_figure(seeds(1), {1: own}, METRICS["bias_relative"])
    assert [mark.reason for mark in figure.traces[0].marks] == ["zero within noise"]
    (band,) = parts(figure, "band")
    assert band["y"] == [0.3, 0.25, 0.5, 0.3, 0.02, 0.1], "it ends a decade below the curve"
    assert figure.note == "95 % confidence interval; × zero within noise"


def test_an_interval_ends_below_its_own_curve_whatever_the_others_do() -> None:
    own = measured(0.0, 0.0, low=(0.0, 0.0), high=(0.3, 0.25))
    exact = {"bias_relative": curve(1e-8, 1e-8)}
    runs = [*seeds(1), run(2, label="exact")]
    figure = build_figure(runs, {1: own, 2: exact}, METRICS["bias_relative"])
    (band,) = parts(figure, "band")
    assert band["y"] == [0.3, 0.25, 0.025, 0.025]


def test_an_interval_is_smoothed_like_its_curve() -> None:
    own = measured(1.0, 0.0, 4.0, low=(1.0, 0.0, 4.0), high=(2.0, 1.0, 5.0))
    figure = build_figure(seeds(1), {1: own}, METRICS["bias_relative"], smoothing=0.5)
    (trace,) = figure.traces
    np.testing.assert_allclose(trace.lower, trace.y)
    np.testing.assert_allclose(trace.upper, trace.y + 1)


def test_equal_configurations_of_two_experiments_stay_two_curves() -> None:
    cup = Experiment(pk=2, name="cup", code_version="abc1234")
    runs = [run(1), run(2, experiment=cup)]
    series = {1: {"meta_loss": curve(1.0)}, 2: {"meta_loss": curve(1.0)}}
    figure = build_figure(runs, series, META_LOSS)
    assert [trace.label for trace in figure.traces] == ["Unrolled · bowl", "Unrolled · cup"]
    assert [trace.n.tolist() for trace in figure.traces] == [[1], [1]]
    assert [trace.configuration.dash for trace in figure.traces] == ["solid", "dash"]


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_value_that_is_not_finite_is_a_gap_with_a_mark(value: float) -> None:
    figure = figure_of(curve(1.0, value, 3.0), curve(1.0, 2.0, 3.0))
    (trace,) = figure.traces
    assert len(trace.y) == 3
    assert not math.isfinite(trace.y[1])
    assert trace.n.tolist() == [2, 2, 2]
    assert [(mark.x, mark.reason) for mark in trace.marks] == [(1.0, "not finite")]
    np.testing.assert_equal(trace.marks[0].value, value)
    (line,) = parts(figure, "line")
    assert line["y"] == [1.0, None, 3.0]
    (marks,) = parts(figure, "marks")
    assert marks["x"] == [1.0]
    assert marks["customdata"] == [f"{format_value(value)}, not finite"]
    assert "× not finite" in figure.note


def test_what_has_no_place_on_a_log_axis_is_marked_with_its_reason() -> None:
    values = curve(0.1, 0.0, -2.0, 0.4)
    figure = figure_of(values, metric="bias_relative")
    assert figure.y_axis.log
    (trace,) = figure.traces
    assert trace.y.tolist() == [0.1, 0.0, -2.0, 0.4]
    assert [(mark.x, mark.reason) for mark in trace.marks] == [
        (1.0, "exactly zero"),
        (2.0, "not positive on a log axis"),
    ]
    assert parts(figure, "line")[0]["y"] == [0.1, None, None, 0.4]
    linear = figure_of(values, metric="bias_relative", scale="linear")
    assert linear.traces[0].marks == ()
    assert parts(linear, "line")[0]["y"] == [0.1, 0.0, -2.0, 0.4]


def test_a_curve_of_zeros_alone_is_linear_unless_asked_otherwise() -> None:
    zeros = (curve(0.0, 0.0), curve(0.0, 0.0))
    usual = figure_of(*zeros, metric="variance_relative")
    assert (usual.y_axis.log, usual.traces[0].marks) == (False, ())
    figure = figure_of(*zeros, metric="variance_relative", scale="log")
    assert [mark.reason for mark in figure.traces[0].marks] == ["exactly zero"] * 2
    assert figure.log_ticks == []
    assert parts(figure, "line")[0]["y"] == [None, None]
    assert plotly_figure(figure)["layout"]["yaxis"]["range"] == [-1, 0]


def test_a_band_below_zero_is_cut_at_the_lowest_height_on_a_log_axis() -> None:
    figure = figure_of(curve(0.1, 1.0), curve(0.3, 9.0), curve(0.2, 0.2), metric="bias_relative")
    (trace,) = figure.traces
    assert trace.lower[1] > 0
    wide = figure_of(curve(0.1, 0.01), curve(0.1, 9.0), metric="bias_relative")
    (trace,) = wide.traces
    assert trace.lower[1] < 0.1
    (band,) = parts(wide, "band")
    assert min(band["y"]) == 0.1


def test_many_points_are_thinned_without_losing_an_extreme_or_an_end() -> None:
    values = np.random.default_rng(1).normal(size=50_000)
    values[[0, 12_345, 34_567, -1]] = [5.0, 99.0, -99.0, 6.0]
    (trace,) = figure_of(curve(*values)).traces
    assert len(trace.y) <= MOST_POINTS
    assert (trace.steps[0], trace.steps[-1]) == (0, 49_999)
    assert (trace.y[0], trace.y[-1]) == (5.0, 6.0)
    assert trace.y[trace.steps == 12_345].tolist() == [99.0]
    assert trace.y[trace.steps == 34_567].tolist() == [-99.0]
    assert np.all(np.diff(trace.steps) > 0)
    np.testing.assert_array_equal(trace.y, values[trace.steps])


def test_each_stretch_keeps_its_own_lowest_and_highest() -> None:
    values = np.arange(1_000) % 10.0
    kept = kept_points(values, 202)
    assert len(kept) <= 202
    # 100 stretches of about ten points: every period shows its 0 and its 9.
    assert np.count_nonzero(values[kept] == 9) >= 95
    assert np.count_nonzero(values[kept] == 0) >= 95
    assert kept_points(values[:200], 202).tolist() == list(range(200))


def test_thinning_skips_what_is_not_finite_and_marks_it_all_the_same() -> None:
    values = np.linspace(1.0, 2.0, 10_000)
    values[5_000:5_400] = NAN
    values[5_100] = 7.0
    (trace,) = figure_of(curve(*values)).traces
    assert 7.0 in trace.y
    assert len(trace.marks) == MOST_MARKS
    assert (trace.marks[0].x, trace.marks[-1].x) == (5_000, 5_399)


def test_smoothing_is_a_moving_average_with_the_raw_curve_behind() -> None:
    values = [1.0, 0.0, 4.0]
    figure = figure_of(curve(*values), smoothing=0.5)
    (trace,) = figure.traces
    # Weights halve into the past and add up to one: (0·2 + 1)/3, (4·4 + 0·2 + 1)/7.
    np.testing.assert_allclose(trace.y, [1.0, 1 / 3, 17 / 7])
    assert trace.raw.tolist() == values
    assert parts(figure, "raw")[0]["y"] == values
    assert figure.note == "smoothed with weight 0.5, raw curve faint"
    assert figure_of(curve(*values)).traces[0].raw is None


def test_smoothing_does_not_spread_or_hide_what_is_not_finite() -> None:
    np.testing.assert_allclose(
        smooth(np.array([2.0, NAN, 2.0, INF, 2.0]), 0.9), [2, NAN, 2, INF, 2]
    )
    (trace,) = figure_of(curve(2.0, NAN, 4.0), smoothing=0.9).traces
    assert [mark.x for mark in trace.marks] == [1.0]


@pytest.mark.parametrize(("x", "unit"), [("seconds", "Time (s)"), ("inner_steps", "Inner steps")])
def test_other_x_axes_are_the_mean_of_the_seeds_positions(x: str, unit: str) -> None:
    series = {
        1: {"meta_loss": curve(4.0, 3.0, 2.0), x: curve(10.0, 20.0, 30.0)},
        2: {"meta_loss": curve(2.0, 1.0, 0.0), x: curve(30.0, 40.0, 50.0)},
    }
    figure = build_figure(seeds(2), series, META_LOSS, x=x)
    (trace,) = figure.traces
    assert trace.x.tolist() == [20.0, 30.0, 40.0]
    assert trace.y.tolist() == [3.0, 2.0, 1.0]
    assert figure.x_axis.full_title == unit
    assert plotly_figure(figure)["layout"]["xaxis"]["title"]["text"] == unit


def test_a_sparse_series_finds_its_own_steps_on_the_other_axis() -> None:
    bias = (np.array([0, 5]), np.array([0.5, 0.25]))
    series = {1: {"bias_relative": bias, "seconds": curve(*np.arange(8) / 4)}}
    (trace,) = build_figure(seeds(1), series, METRICS["bias_relative"], x="seconds").traces
    assert (trace.x.tolist(), trace.y.tolist()) == ([0.0, 1.25], [0.5, 0.25])


def test_over_memory_a_point_stands_at_the_most_that_was_needed_until_then() -> None:
    own = {"bias": (np.array([0, 2]), np.array([0.5, 0.25])), "peak_bytes": curve(7.0, 9.0, 8.0)}
    (trace,) = build_figure(seeds(1), {1: own}, METRICS["bias"], x="peak_bytes").traces
    assert (trace.x.tolist(), trace.y.tolist()) == ([7.0, 9.0], [0.5, 0.25])


@pytest.mark.parametrize("x", ["step", "seconds"])
def test_where_an_attempt_went_on_is_drawn_and_said(x: str) -> None:
    alone = run(1)
    alone.resumes = [[2, 1], [3, 3], [4, 9]]
    own = {"meta_loss": curve(4.0, 3.0, 2.0, 1.0), "seconds": curve(0.5, 1.0, 1.5, 2.0)}
    figure = build_figure([alone], {1: own}, META_LOSS, x=x)
    layout = plotly_figure(figure)["layout"]
    places = {"step": [1.0, 3.0], "seconds": [1.0, 2.0]}[x]
    assert [shape["x0"] for shape in layout["shapes"]] == places, "the last has no point yet"
    (words,) = layout["annotations"]
    assert words["text"] == "attempt 3, resumed from step 3"
    assert words["xanchor"] == "right", "it is at the end, and its words have room before it"
    assert "Attempt 2, resumed from step 1." in figure.text_summary()
    assert b"<svg" in print_figure(figure, "svg", SIZES["column"])


def test_several_runs_have_no_seams() -> None:
    both = seeds(2)
    both[0].resumes = [[2, 1]]
    series = {1: {"meta_loss": curve(4.0, 3.0)}, 2: {"meta_loss": curve(4.0, 3.0)}}
    assert build_figure(both, series, META_LOSS).seams == ()


def test_a_band_is_left_out_where_the_reader_says_so() -> None:
    figure = figure_of(curve(1.0, 2.0), curve(3.0, 4.0), band=False)
    assert parts(figure, "band") == []
    assert figure.note == ""


def test_a_lone_curve_has_no_name_under_the_pointer() -> None:
    (alone,) = parts(figure_of(curve(1.0, 2.0)), "line")
    assert alone["hovertemplate"] == "%{customdata}<extra></extra>"


def test_a_point_without_a_place_on_the_x_axis_is_not_drawn() -> None:
    series = {1: {"meta_loss": curve(4.0, 3.0, 2.0), "seconds": curve(1.0, 2.0)}}
    (trace,) = build_figure(seeds(1), series, META_LOSS, x="seconds").traces
    assert trace.y.tolist() == [4.0, 3.0]
    assert build_figure(seeds(1), series, META_LOSS, x="inner_steps").empty


def test_the_words_say_where_every_curve_stands() -> None:
    runs = [*seeds(2), run(3, label="Truncated, last 3")]
    series = {
        1: {"meta_loss": curve(1.0, 0.4)},
        2: {"meta_loss": curve(2.0, 0.6)},
        3: {"meta_loss": curve(3.0, 2.0, NAN)},
    }
    figure = build_figure(runs, series, META_LOSS)
    assert figure.text_summary() == (
        "Meta-loss against outer step. Unrolled: 0.500 ± 0.100 (N = 2) at step 1; "
        "Truncated, last 3: nan at step 2."
    )
    assert figure.latest == ""
    assert build_figure(runs[:2], series, META_LOSS).latest == "0.500 ± 0.100"
    nothing = build_figure(runs, {}, META_LOSS)
    assert nothing.text_summary() == "Meta-loss: no points yet."
    assert (nothing.empty, nothing.latest, nothing.table()) == (True, "", (["Step"], []))
    assert plotly_figure(nothing)["data"] == []


def test_the_table_has_the_numbers_of_the_curves() -> None:
    table = np.random.default_rng(2).normal(size=(2, 100))
    series = {i + 1: {"meta_loss": curve(*row)} for i, row in enumerate(table)}
    series[3] = {"meta_loss": curve(*range(30))}
    figure = build_figure([*seeds(2), run(3, label="other")], series, META_LOSS)
    header, rows = figure.table()
    assert header == ["Step", "Unrolled", "other"]
    assert len(rows) == MOST_TABLE_ROWS
    steps = [int(row[0]) for row in rows]
    assert (steps[0], steps[-1]) == (0, 99)
    first, second = figure.traces
    for step, row in zip(steps, rows, strict=True):
        assert row[1] == first.value_at(step, "")
        assert row[2] == (second.value_at(step, "") if step < 30 else "")
    mean = table[:, 99].mean()
    assert rows[-1][1].startswith(format_value(mean) + " ± ")


def test_a_label_is_text_on_the_page_and_not_markup() -> None:
    figure = build_figure(
        [run(1, label="<b>x</b>")], {1: {"meta_loss": curve(1.0, 2.0)}}, META_LOSS
    )
    (line,) = parts(figure, "line")
    assert line["name"] == "&lt;b&gt;x&lt;/b&gt;"
    assert "<b>" not in line["hovertemplate"]


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("value", [1.7e308, -1.7e308, 5e-324])
def test_a_run_at_the_edge_of_the_floats_is_still_valid_json(value: float, scale: str) -> None:
    figure = figure_of(curve(value, value), metric="gradient_norm", scale=scale)
    assert json.dumps(plotly_figure(figure), allow_nan=False)


def test_accuracies_are_percentages_on_the_page_and_in_words() -> None:
    figure = figure_of(curve(0.5, 0.914), metric="test_accuracy")
    assert plotly_figure(figure)["layout"]["yaxis"]["tickformat"] == "~%"
    assert figure.latest == "91.4 %"
    two = figure_of(curve(0.9), curve(0.92), metric="test_accuracy")
    assert two.table()[1][0][1].startswith("91.0 ± 1.0 %")


def test_test_figures_stand_behind_the_meta_loss_where_runs_have_them() -> None:
    names = ("meta_loss", "cosine")
    assert with_tests(names, {"test_accuracy", "transfer_loss", "theta.x", "cosine"}) == [
        "meta_loss",
        "test_accuracy",
        "transfer_loss",
        "cosine",
    ]
    assert with_tests(names, {"bias"}) == ["meta_loss", "cosine"]
