"""The gallery over HTTP: figures as data and as files, launching, and who may look."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.webapp.factories import person
from webapp.experiments.models import Experiment

pytestmark = pytest.mark.django_db

PAGE = "/gallery/truncation/"
OPEN = ("/gallery/", PAGE, f"{PAGE}figures", f"{PAGE}figure.csv?figure=estimate")


@pytest.fixture
def member(client: Client) -> Client:
    client.force_login(person("ada"))
    return client


def test_visitors_look_only_where_the_lab_says_so(client: Client, settings) -> None:
    assert {client.get(path).status_code for path in OPEN} == {302}
    settings.GALLERY_OPEN = True
    assert {client.get(path).status_code for path in OPEN} == {200}
    # Nothing else opens with it.
    assert client.get("/runs/").status_code == 302
    assert client.post(f"{PAGE}launch").status_code == 302
    page = client.get(PAGE).content.decode()
    assert "Run it here" not in page
    assert "Open in builder" not in page


def test_a_choice_that_is_not_offered_is_not_there(member: Client) -> None:
    for path in (f"{PAGE}?task=none", f"{PAGE}figures?task=none", "/gallery/none/"):
        assert member.get(path).status_code == 404
    assert member.get("/experiments/new?gallery=none").status_code == 404
    assert member.get("/experiments/new?gallery=truncation,task").status_code == 404


def test_the_page_itself_does_not_give_the_answer_away(member: Client) -> None:
    page = member.get(PAGE).content.decode()
    figures = member.get(f"{PAGE}figures").json()
    assert figures["finding"] not in page
    assert figures["prediction"]["measured"][0] == pytest.approx(-4.0)


@pytest.mark.parametrize("extension", ["svg", "csv", "json", "tex"])
def test_a_figure_leaves_with_its_origin(member: Client, extension: str) -> None:
    answer = member.get(f"{PAGE}figure.{extension}?figure=estimate&task=influence")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "influence_balancing" in text
    if extension == "json":
        document = json.loads(text)
        assert document["provenance"]["seeds"] == [0]
        assert {"window": 1, "estimate": -4.0, "exact": 24.0} in document["chart"]["points"]


def test_a_figure_that_is_not_there_is_named(member: Client) -> None:
    answer = member.get(f"{PAGE}figure.csv?figure=none")
    assert answer.status_code == 400
    assert "figure: 'none' is not possible; allowed: estimate, training." in answer.content.decode()


def test_launching_runs_what_the_page_shows(member: Client) -> None:
    answer = member.post(f"{PAGE}launch", {"task": "quadratic"})
    experiment = Experiment.objects.get()
    assert answer.headers["Location"] == f"/experiments/{experiment.pk}/"
    assert experiment.spec["inner_task"]["kind"] == "noisy_quadratic"
    assert experiment.runs.count() == 3


def test_what_was_not_computed_beforehand_can_be_run(member: Client) -> None:
    address = "/gallery/evolution-dimensions/"
    figures = member.get(f"{address}figures?particles=1024").json()
    assert (figures["figures"], figures["finding"]) == ([], "")
    answer = member.get(f"{address}figure.csv?figure=error&particles=1024")
    assert "allowed: none, since it has not been computed" in answer.content.decode()
    member.post(f"{address}launch", {"particles": "1024"})
    estimators = Experiment.objects.get().spec["estimators"]
    assert [item.get("particles") for item in estimators] == [None, 16, 64, 256, 1024]


def test_the_builder_says_where_its_form_comes_from(member: Client) -> None:
    page = member.get("/experiments/new?gallery=truncation,task=influence").content.decode()
    assert "From the gallery" in page
    assert 'href="/gallery/truncation/"' in page
    assert "influence_balancing" in page
