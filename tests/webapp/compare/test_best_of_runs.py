"""A comparison of the best of each run: the table, its files, the API and the charts."""

from __future__ import annotations

import csv

import pytest
from django.test import Client

from tests.webapp.factories import ids_of, launched, measured, person, signed_in
from webapp.experiments.models import Experiment

pytestmark = pytest.mark.django_db


@pytest.fixture
def probed() -> Experiment:
    """Two estimators; the bias of both is 0.8, 0.2, 0.5 in its course, their cosine 1 minus it."""
    made = launched(person("ada"), seeds=[0])
    for run in made.runs.all():
        measured(
            run,
            [
                {"meta_loss": bias, "bias_relative": bias, "cosine": 1 - bias,
                 "variance_relative": 0.1, "peak_bytes": 1e6}
                for bias in (0.8, 0.2, 0.5)
            ],
        )  # fmt: skip
    return made


@pytest.fixture
def client(probed: Experiment) -> Client:
    return signed_in(probed.owner)


def asked(client: Client, path: str, made: Experiment, **more: str):
    answer = client.get(path, {"runs": ",".join(map(str, ids_of(made))), **more})
    assert answer.status_code == 200, answer.content
    return answer


def condensed(text: str) -> dict[str, tuple[str, float]]:
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["metric"]: (row["condensed"], float(row["mean"])) for row in rows}


def test_files_have_the_best_of_each_run(client: Client, probed: Experiment) -> None:
    path = "/exports/summary.csv"
    usual = condensed(asked(client, path, probed).content.decode())
    best = condensed(asked(client, path, probed, of="best").content.decode())
    assert usual["meta_loss"] == ("last step", 0.5)
    assert usual["bias_relative"] == ("mean of the probes", pytest.approx(0.5))
    assert best["meta_loss"] == ("best step", 0.2)
    assert best["bias_relative"] == ("best step", 0.2)
    assert best["cosine"] == ("best step", 0.8)


def test_the_page_says_of_what_its_table_is(client: Client, probed: Experiment) -> None:
    html = asked(client, "/compare", probed, of="best").content.decode()
    assert "<small>best step</small>" in html
    assert "Counted: the best of each run." in html
    assert "of=best" in html[html.index("data-summary-file") :][:200]
    assert "<small>best step</small>" not in asked(client, "/compare", probed).content.decode()
    # What is said of an estimator is said of all its probes.
    assert "bias 50 % of the oracle" in html


def test_charts_of_best_values_say_so_and_bias_is_beside_no_variance_of_another_step(
    client: Client, probed: Experiment
) -> None:
    usual = asked(client, "/compare/charts", probed).json()["charts"]
    assert {chart["name"] for chart in usual} == {"pareto", "bias-variance"}
    (best,) = asked(client, "/compare/charts", probed, of="best").json()["charts"]
    assert best["name"] == "pareto"
    assert "the best of each run" in best["note"]


def test_the_api_gives_either(client: Client, probed: Experiment) -> None:
    def loss(**more: str) -> tuple[str, float]:
        told = asked(client, "/api/v1/compare", probed, **more).json()
        assert told["columns"][0]["name"] == "meta_loss"
        return told["columns"][0]["words"], told["rows"][0]["cells"][0]["value"]

    assert loss() == ("last step", 0.5)
    assert loss(of="best") == ("best step", 0.2)
    refused = client.get("/api/v1/compare", {"runs": "1", "of": "worst"})
    assert refused.status_code == 422


def test_a_value_that_there_is_not_is_refused(client: Client, probed: Experiment) -> None:
    pk = probed.runs.first().pk
    answer = client.get("/exports/summary.csv", {"runs": pk, "of": "worst"})
    assert answer.status_code == 400
    assert "of: 'worst' is not possible; allowed: usual, best." in answer.content.decode()
