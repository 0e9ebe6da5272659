"""The summary of a comparison: mean and error over seeds, which is best, and what it all says."""

import math

import pytest

from tests.webapp.exports.curves import curve, run, seeds
from webapp.compare.findings import findings
from webapp.compare.statistics import SummaryTable, summarise
from webapp.runs.models import Run

NAN = math.nan


def table_of(**series_of_labels: dict[str, list[list[float]]]) -> SummaryTable:
    """Label → metric → one list of values for each seed."""
    runs: list[Run] = []
    series: dict[int, dict] = {}
    for label, metrics in series_of_labels.items():
        for seed in range(max(len(values) for values in metrics.values())):
            made = run(len(runs) + 1, seed=seed, label=label)
            runs.append(made)
            series[made.pk] = {
                name: curve(*values[seed]) for name, values in metrics.items() if seed < len(values)
            }
    return summarise(runs, series)


def best_of(table: SummaryTable, name: str) -> list[str]:
    return [row.configuration.label for row in table.rows if row.cell(name).best]


def test_the_best_is_the_lowest_or_the_highest_as_the_metric_goes() -> None:
    table = table_of(
        a={"meta_loss": [[9, 1.0]], "cosine": [[0.5, 0.9]], "peak_bytes": [[3e6, 2e6]]},
        b={"meta_loss": [[0, 2.0]], "cosine": [[0.9, 0.9]], "peak_bytes": [[1e6, 2e6]]},
        c={"meta_loss": [[0, NAN]], "cosine": [[-1.0, -1.0]]},
    )
    assert best_of(table, "meta_loss") == ["a"]
    assert best_of(table, "cosine") == ["b"]
    assert best_of(table, "peak_bytes") == ["b"]
    assert best_of(table, "bias_relative") == []
    assert best_of(table, "seconds") == []


def test_what_reads_the_same_is_best_together() -> None:
    table = table_of(
        a={"meta_loss": [[1.0]]}, b={"meta_loss": [[1.0 + 1e-9]]}, c={"meta_loss": [[1.1]]}
    )
    assert best_of(table, "meta_loss") == ["a", "b"]


def test_nothing_is_best_alone() -> None:
    assert best_of(table_of(a={"meta_loss": [[1.0]]}), "meta_loss") == []
    one_known = table_of(a={"meta_loss": [[1.0]]}, b={"cosine": [[1.0]]})
    assert best_of(one_known, "meta_loss") == []
    alike = table_of(a={"meta_loss": [[1.0]]}, b={"meta_loss": [[1.0]]})
    assert best_of(alike, "meta_loss") == []


def test_seeds_are_mean_and_standard_error() -> None:
    table = table_of(
        a={"step_seconds": [[1, 2, 30], [4, 4, 4]], "bias_relative": [[0.1, 0.3], [0.4, 0.4]]},
        b={"bias_relative": [[1.0]]},
    )
    (a, b) = table.rows
    assert (a.value("step_seconds"), a.cell("step_seconds").error) == (3.0, pytest.approx(1.0))
    assert a.cell("bias_relative").text == "0.300 ± 0.100"
    assert (a.cell("bias_relative").n, b.cell("bias_relative").error) == (2, None)
    assert b.cell("bias_relative").text == "1.00"
    assert b.cell("step_seconds").text == "–"


def sentence(bias: float, cosine: float | None = None, variance: float | None = None) -> str:
    measured = {"bias_relative": bias, "cosine": cosine, "variance_relative": variance}
    series = {name: curve(value) for name, value in measured.items() if value is not None}
    (found,) = findings(summarise(seeds(1), {1: series}))
    assert found.row.configuration.label == "Unrolled"
    return found.sentence


@pytest.mark.parametrize(
    ("bias", "cosine", "variance", "expected"),
    [
        (0.0, 1.0, 0.0, "agrees with the oracle exactly."),
        (3e-7, 1.0, 0.0, "agrees with the oracle to rounding (relative difference 3.00e−7)."),
        (0.5, 0.8, 0.0, "bias 50 % of the oracle's norm, at cosine 0.80 to it."),
        (
            0.3,
            0.9993,
            None,
            "bias 30 % of the oracle's norm, though it points the right way (cosine 0.9993).",
        ),
        (
            1.5,
            -0.25,
            0.0,
            "bias 150 % of the oracle's norm, and it points the wrong way (cosine −0.250).",
        ),
        (
            0.02,
            0.9,
            0.4,
            "bias 2 % of the oracle's norm, variance 0.400 × its square.",
        ),
        (
            0.0,
            0.9,
            0.4,
            "no bias above the noise of its draws, variance 0.400 × the oracle's norm squared.",
        ),
        (
            0.02,
            0.9,
            40.0,
            "bias 2 % of the oracle's norm, variance 40.0 × its square: "
            "a single estimate is more noise than signal.",
        ),
        (0.3, None, None, "bias 30 % of the oracle's norm."),
        (NAN, NAN, None, "its estimate is not finite: the inner loop or the estimator diverges."),
        (
            math.inf,
            None,
            None,
            "its estimate is not finite: the inner loop or the estimator diverges.",
        ),
    ],
)
def test_a_sentence_says_what_the_probes_measured(
    bias: float, cosine: float | None, variance: float | None, expected: str
) -> None:
    assert sentence(bias, cosine, variance) == expected


def about(table: SummaryTable, start: str) -> list[tuple[str, str]]:
    return [
        (item.row.configuration.label, item.sentence)
        for item in findings(table)
        if item.sentence.startswith(start)
    ]


def test_the_lowest_meta_loss_is_named_with_the_next() -> None:
    table = table_of(a={"meta_loss": [[2.0]]}, b={"meta_loss": [[1.0]]}, c={"meta_loss": [[NAN]]})
    assert about(table, "lowest meta-loss") == [
        ("b", "lowest meta-loss at the last step, 1.00; next is a with 2.00.")
    ]


def test_a_difference_within_the_errors_is_not_sold_as_one() -> None:
    table = table_of(a={"meta_loss": [[1.0], [2.0]]}, b={"meta_loss": [[1.2], [2.2]]})
    assert about(table, "lowest meta-loss") == [
        (
            "a",
            "lowest meta-loss at the last step, 1.50 ± 0.50 (N = 2); "
            "within the standard errors of b, 1.70 ± 0.50.",
        )
    ]


def test_equal_losses_have_no_winner() -> None:
    assert about(table_of(a={"meta_loss": [[1.0]]}, b={"meta_loss": [[1.0]]}), "lowest") == []


def test_memory_is_worth_a_sentence_when_it_differs() -> None:
    table = table_of(a={"peak_bytes": [[1e6, 4e6]]}, b={"peak_bytes": [[2e6, 1e6]]})
    assert about(table, "least memory") == [("b", "least memory, 2 MB: 2× less than a.")]
    alike = table_of(a={"peak_bytes": [[2.2e6]]}, b={"peak_bytes": [[2e6]]})
    assert about(alike, "least memory") == []


def test_before_the_first_probe_there_is_nothing_to_say() -> None:
    assert findings(table_of(a={"seconds": [[1.0]]}, b={"seconds": [[2.0]]})) == []
