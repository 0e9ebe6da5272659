"""What a person chose stays chosen, on every page and every machine: single keys and the tour."""

import pytest
from django.test import Client

from tests.webapp.factories import person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in(person("ada"))


def test_single_keys_are_switched_off_and_on(client: Client) -> None:
    off = 'data-single-keys="off"'
    assert off not in client.get("/queue/").content.decode()
    assert client.post("/account/single-keys", {}).status_code == 204
    assert off in client.get("/queue/").content.decode()
    assert client.post("/account/single-keys", {"single_keys": "on"}).status_code == 204
    assert off not in client.get("/queue/").content.decode()
    assert client.get("/account/single-keys").status_code == 405


def test_the_tour_comes_once_and_when_asked_for(client: Client) -> None:
    tour = 'id="tour"'
    assert tour in client.get("/").content.decode()
    assert tour not in client.get("/queue/").content.decode(), "the first page is enough"
    assert client.post("/account/tour").status_code == 204
    assert tour not in client.get("/").content.decode()
    assert client.post("/account/tour", {"again": "on"}).status_code == 302
    assert tour in client.get("/").content.decode()


def test_strangers_have_no_preferences() -> None:
    for address in ("/account/single-keys", "/account/tour"):
        assert Client().post(address).status_code == 302
