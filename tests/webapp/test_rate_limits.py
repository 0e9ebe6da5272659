"""Who asks too often waits; nobody else does."""

import socket

import pytest
from django.test import Client
from django.urls import get_resolver
from limits.storage import storage_from_string

from tests.webapp.factories import person, signed_in
from webapp import rate_limits
from webapp.accounts.models import User
from webapp.supervisor.home import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limited(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(
        rate_limits,
        "EVERYTHING",
        {"person": "4/minute", "script": "3/minute", "visitor": "2/minute"},
    )
    monkeypatch.setattr(rate_limits, "DEAR", {**rate_limits.DEAR, "sign in": "1/minute"})
    storage_from_string(settings.REDIS_URL, key_prefix="lab:limits").reset()


@pytest.fixture
def ada(client: Client) -> User:
    user = person("ada")
    client.force_login(user)
    return user


def statuses(client: Client, path: str, times: int, **headers: str) -> list[int]:
    return [client.get(path, headers=headers).status_code for _ in range(times)]


def test_a_person_has_one_count_over_all_browsers(client: Client, ada: User):
    other = signed_in(ada)
    assert statuses(client, "/account/", 2) == [200, 200]
    assert statuses(other, "/account/", 3) == [200, 200, 429]
    assert statuses(client, "/account/", 1) == [429]


def test_others_do_not_wait(client: Client, ada: User):
    assert statuses(client, "/account/", 5)[-1] == 429
    other = signed_in(person("bob"))
    assert statuses(other, "/account/", 1) == [200]


def test_the_page_says_how_long_to_wait(client: Client, ada: User):
    statuses(client, "/account/", 4)
    answer = client.get("/account/")
    seconds = int(answer.headers["Retry-After"])
    assert 1 <= seconds <= 60
    assert f'data-countdown="{seconds}"' in answer.content.decode()


def test_a_script_gets_a_problem(client: Client):
    assert 429 not in statuses(client, "/api/v1/runs", 3, authorization="Bearer lab_x")
    answer = client.get("/api/v1/runs", headers={"authorization": "Bearer lab_y"})
    assert answer.status_code == 429
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert f"in {answer.headers['Retry-After']} s" in answer.json()["detail"]


def test_visitors_are_told_apart_by_their_address(client: Client):
    assert statuses(client, "/sign-in/", 3) == [200, 200, 429]
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert statuses(elsewhere, "/sign-in/", 1) == [200]


def test_what_is_dear_is_counted_as_well(client: Client):
    tries = [client.post("/sign-in/", {"username": "x", "password": "y"}) for _ in range(2)]
    assert [answer.status_code for answer in tries] == [200, 429]


def test_health_is_never_refused(client: Client):
    assert 429 not in statuses(client, "/healthz", 8)


def test_without_a_broker_nobody_is_refused(client: Client, settings):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert statuses(client, "/sign-in/", 4) == [200] * 4


def test_a_broker_that_never_answers_holds_nobody_up(client: Client, settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        assert statuses(client, "/sign-in/", 1) == [200]


def test_every_route_that_is_named_is_there():
    def names(resolver, namespace: str = "") -> set[str]:
        found = set()
        for pattern in resolver.url_patterns:
            if hasattr(pattern, "url_patterns"):
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                found |= names(pattern, inner)
            else:
                found.add(f"{namespace}{pattern.name}")
        return found

    there = names(get_resolver())
    named = {name for _, name in rate_limits.DEAR_ROUTES} | rate_limits.NOBODY_ASKS_TOO_OFTEN
    assert named <= there, named - there
