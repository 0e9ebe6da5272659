"""What people read where something went wrong: why, what was changed, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection
from django.test import Client

from tests.webapp.factories import first_run, person
from webapp.workers import views

pytestmark = pytest.mark.django_db

SIGNED_IN_ONCE = {"cookie": "sessionid=of-some-session"}
"""Enough for the session to be asked of the database."""


@pytest.fixture
def client() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(person("ada"))
    return client


def test_a_mistake_of_the_lab_has_the_number_of_its_request(client: Client, monkeypatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("the cause")

    monkeypatch.setattr(views, "queue_now", broken)
    answer = client.get("/queue/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in page
    assert "the cause" not in page


@pytest.fixture
def _database_is_away() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.usefixtures("_database_is_away")
def test_a_page_without_its_database_says_so() -> None:
    answer = Client(raise_request_exception=False).get("/runs/", headers=SIGNED_IN_ONCE)
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "The database does not answer" in page
    assert 'href="/runs/"' in page
    assert answer.headers["X-Request-ID"] in page


@pytest.mark.usefixtures("_database_is_away")
def test_a_script_without_the_database_gets_a_problem() -> None:
    answer = Client(raise_request_exception=False).get(
        "/api/v1/runs", headers={"authorization": "Bearer lab_x"}
    )
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-ID"] in answer.json()["detail"]


def test_another_address_is_told_the_labs_own(settings) -> None:
    answer = Client(headers={"host": "elsewhere.example"}).get("/")
    assert answer.status_code == 400
    assert f'href="{settings.LAB_URL}"' in answer.content.decode()


def test_more_than_the_lab_reads_is_called_too_large(client: Client, settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = client.post("/sign-in/", "x" * 101, "application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert "send less" in answer.content.decode()


def test_who_may_not_is_told_who_may(client: Client) -> None:
    run = first_run(person("bob"))
    page = client.post(f"/queue/runs/{run.pk}/front").content.decode()
    assert "Only an admin of the lab may change the order of the queue." in page


def test_a_page_that_was_open_for_long_is_not_called_forbidden() -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(person("ada"))
    answer = careful.post("/account/tour")
    assert answer.status_code == 403
    assert "reload it" in answer.content.decode()


def test_what_is_not_there_can_be_searched_for(client: Client) -> None:
    answer = client.get("/no-such-page")
    assert answer.status_code == 404
    assert 'action="/search"' in answer.content.decode()
