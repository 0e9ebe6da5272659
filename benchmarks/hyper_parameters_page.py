"""The lecture's table of hyper-parameter optimisation beside ours, as a part of the page."""

from __future__ import annotations

import json
from math import exp
from statistics import mean, stdev
from typing import Any

from benchmarks.hyper_parameters import INNER_STEPS, METHODS, PATH

PUBLISHED = {
    "grid": 94.58,
    "random": 81.46,
    "Bayesian": 69.29,
    "self-tuning network": 67.68,
    "none": 71.91,
    "implicit": 66.40,
    "implicit, many": 66.14,
}
"""Test perplexities of words (Lorraine et al., 2020, table 3), as the lecture shows them."""
COMMENT = (
    "What holds here too: every method beats none by more than two standard errors, "
    "and weight decay for every weight lowers the validation loss that implicit "
    "differentiation reaches with one (2.427 against 2.476), though on the test "
    "text the two cannot be told apart. What does not: the lecture's last two, grid "
    "and random search, are not last here. There are four numbers to tune, and 65 "
    "trainings find them without a gradient; and all methods end within 0.033 of "
    "each other on the test text, where a standard error is about 0.015, so that "
    "three seeds tell no order among them. The lecture's none, which beats its grid "
    "and random search, is a tuned start; ours is hardly any regularization."
)


def section() -> str:
    """The table of means over seeds, ± their standard errors."""
    document = json.loads(PATH.read_text("utf-8"))
    rows = document["rows"]
    names = ["none", *(method.name for method in METHODS)]
    seeds = len({row["seed"] for row in rows})
    seconds = sum(row["seconds"] for row in rows)
    lines = [
        "### The lecture's table of hyper-parameter optimisation, at small size\n",
        "Dropout rates and weight decay of a character LSTM, or weight decay for every weight "
        f"(many), {INNER_STEPS:,} inner steps for every method: loss in nats for a character at "
        "the θ of the lowest validation loss that a method met, and what its test loss is below "
        "that of the first θ (none). The last column is what the lecture shows, test perplexity "
        "of words.\n",
        "| method | validation | test | below none | perplexity | published |",
        "|---|---|---|---|---|---|",
        *(_row(name, [row for row in rows if _of(row, name)]) for name in names),
        f"\n{seeds} seeds; {seconds:.0f} CPU seconds in all, torch "
        f"{document['machine']['torch']}; code {document['code_version']}, {document['date']}; "
        "`python -m benchmarks.hyper_parameters`.\n",
        COMMENT,
    ]
    return "\n".join(lines)


def _of(row: dict[str, Any], name: str) -> bool:
    """Every method begins at the first θ; the first method's stands for all."""
    return row["method"] == ("implicit" if name == "none" else name)


def _row(name: str, rows: list[dict[str, Any]]) -> str:
    kept = "first" if name == "none" else "best"
    validation = [row[kept]["meta_loss"] for row in rows]
    test = [row[kept]["test_loss"] for row in rows]
    below = [row["first"]["test_loss"] - row[kept]["test_loss"] for row in rows]
    gain = "" if name == "none" else _figure(below)
    published = PUBLISHED.get(name, "")
    return (
        f"| {name} | {_figure(validation)} | {_figure(test)} | {gain} | {exp(mean(test)):.2f} "
        f"| {published} |"
    )


def _figure(values: list[float]) -> str:
    return f"{mean(values):.3f} ± {stdev(values) / len(values) ** 0.5:.3f}"
