"""What people read where something went wrong: why, what was changed, and what to do."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.webapp.factories import first_run, person
from webapp.workers import views

pytestmark = pytest.mark.django_db


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
