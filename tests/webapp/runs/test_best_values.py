"""Best or last, of any metric: in the table of runs, its queries and the API."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from engine.directions import BETTER
from engine.summary import best_of
from tests.webapp.factories import launched, measured, person, signed_in
from webapp.accounts.models import User
from webapp.exports.metrics import METRICS
from webapp.runs.models import Run

pytestmark = pytest.mark.django_db

REACHED = {0: [(0.9, 0.2), (0.1, 0.8)], 1: [(0.5, 0.3), (0.7, 0.6)]}
"""Bias and cosine at two outer steps, by the seed."""


@pytest.fixture
def ada() -> User:
    return person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in(ada)


@pytest.fixture
def probed(ada: User) -> dict[int, Run]:
    """A run a seed: the bias of one is best at the last step, that of the other at the first."""
    made = launched(ada, estimators=[{"kind": "truncated", "window": 3}])
    usual = {"meta_loss": 1.0, "sigma": 2.0}
    return {
        run.seed: measured(
            run,
            [
                {**usual, "bias_relative": bias, "cosine": cosine}
                for bias, cosine in REACHED[run.seed]
            ],
        )
        for run in made.runs.all()
    }


def shown(client: Client, query: str) -> list[int]:
    html = client.get(f"/runs/?{query}").content.decode()
    return [int(pk) for pk in re.findall(r'<tr id="run-(\d+)"', html)]


def figures(html: str) -> list[str]:
    return re.findall(r'<td class="numeric">([^<]*)', html)


def test_the_best_of_every_metric_takes_the_place_of_its_last(
    client: Client, probed: dict[int, Run]
) -> None:
    asked = "columns=run,bias_relative,cosine,sigma&sort=bias_relative"
    last = client.get(f"/runs/?{asked}").content.decode()
    best = client.get(f"/runs/?{asked}&of=best").content.decode()
    assert figures(last) == ["0.100", "0.800", "2.00", "0.700", "0.600", "2.00"]
    assert figures(best) == ["0.100", "0.800", "2.00", "0.500", "0.600", "2.00"]
    assert "Bias / oracle norm, best" in best
    assert "Search width σ, best" not in best, "it has no better direction"


def test_headers_of_best_values_sort_by_them_and_name_the_metric(
    client: Client, probed: dict[int, Run]
) -> None:
    """So that Best and Last can be changed over without losing the order."""
    html = client.get("/runs/?columns=run,bias_relative,cosine&of=best").content.decode()
    assert re.findall(r'<a href="([^"]*)" hx-get[^>]*>Cosine to the oracle, best', html) == [
        "?sort=-cosine&amp;columns=run,bias_relative,cosine&amp;of=best"
    ]
    picker = html[html.index("columns-dialog") :]
    assert re.search(r'value="bias_relative" checked', picker)
    assert not re.search(r'value="best_bias_relative" checked', picker)
    assert shown(client, "of=best&sort=-bias_relative") == [probed[1].pk, probed[0].pk]


def test_folded_rows_have_the_mean_of_the_bests(client: Client, probed: dict[int, Run]) -> None:
    asked = "columns=run,bias_relative&group=configuration"
    assert figures(client.get(f"/runs/?{asked}").content.decode()) == ["0.400 ± 0.300 "]
    assert figures(client.get(f"/runs/?{asked}&of=best").content.decode()) == ["0.300 ± 0.200 "]


@pytest.mark.parametrize(
    ("query", "seeds"),
    [
        ("best_bias_relative<0.5", [0]),
        ("bias_relative<0.5", [0]),
        ("best_bias_relative<0.6", [0, 1]),
        ("bias_relative<0.6", [0]),
        ("best_cosine>=0.8", [0]),
        ("best_variance:none", [0, 1]),
    ],
)
def test_queries_ask_for_the_best(
    client: Client, probed: dict[int, Run], query: str, seeds: list[int]
) -> None:
    found = client.get("/api/v1/runs", {"q": query, "sort": "seed"}).json()["runs"]
    assert [run["seed"] for run in found] == seeds


def test_the_api_tells_and_sorts_by_the_best(client: Client, probed: dict[int, Run]) -> None:
    found = client.get("/api/v1/runs", {"sort": "-best_bias_relative"}).json()["runs"]
    assert [run["summary"]["best_bias_relative"] for run in found] == [0.5, 0.1]
    assert [run["summary"]["best_cosine"] for run in found] == [0.6, 0.8]


def test_the_best_test_is_the_highest_accuracy_or_else_the_lowest_loss(
    client: Client, probed: dict[int, Run]
) -> None:
    accurate = {"test_accuracy": 0.5, "best_test_accuracy": 0.75}
    Run.objects.filter(pk=probed[0].pk).update(summary=accurate)
    lossy = {"test_loss": 0.5, "best_test_loss": 0.25}
    Run.objects.filter(pk=probed[1].pk).update(summary=lossy)
    html = client.get("/runs/?columns=run,test&of=best&sort=-test").content.decode()
    assert figures(html) == ["0.750", "0.250"]


def test_the_pages_know_every_metric_with_a_direction() -> None:
    assert set(BETTER) <= set(METRICS)
    assert not {best_of(name) for name in BETTER} & set(METRICS)
