"""The whole code flow against a provider in a process of its own, and every way to cheat."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.http import HttpResponse
from django.test import Client

from tests.webapp.factories import person, signed_in
from tests.webapp.single_sign_on.provider_process import CLIENT_ID, CLIENT_SECRET
from webapp.accounts.models import Invitation, User
from webapp.audit.models import Entry
from webapp.settings.single_sign_on import SingleSignOn
from webapp.single_sign_on import services
from webapp.single_sign_on.models import Identity
from webapp.supervisor.home import free_port

pytestmark = pytest.mark.django_db

GRACE = {
    "sub": "7", "email": "grace@uni.example", "email_verified": True, "preferred_username": "grace",
}  # fmt: skip


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port()
    program = Path(__file__).with_name("provider_process.py")
    process = subprocess.Popen([sys.executable, str(program), str(port)])
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{address}/keys")
            break
        except httpx.TransportError:
            time.sleep(0.05)
    yield address
    process.terminate()
    process.wait()


@pytest.fixture(autouse=True)
def configured(settings, issuer: str) -> None:
    settings.SINGLE_SIGN_ON = SingleSignOn(
        issuer=issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        name="the university",
        domains=("uni.example",),
        role="viewer",
    )


def there(client: Client, issuer: str, claims: dict[str, Any], query: str = "") -> str:
    """Where the provider sends the browser back to, having let in who has `claims`."""
    httpx.post(f"{issuer}/next", json=claims)
    sent = client.get(f"/single-sign-on/{query}")
    assert sent.status_code == 302
    assert sent.url.startswith(f"{issuer}/authorize?")
    answer = httpx.get(sent.url)
    assert answer.status_code == 302
    return answer.headers["Location"].removeprefix("http://testserver")


def come(client: Client, issuer: str, claims: dict[str, Any], query: str = "") -> HttpResponse:
    return client.get(there(client, issuer, claims, query))


def who(client: Client) -> str:
    """The name of who is signed in; empty for a visitor."""
    answer = client.get("/api/v1/me")
    return answer.json()["username"] if answer.status_code == 200 else ""


def test_who_has_an_address_in_the_domain_becomes_a_viewer_and_comes_back(issuer, client):
    answer = come(client, issuer, GRACE)
    assert (answer.status_code, answer.url) == (302, "/")
    assert who(client) == "grace"
    grace = User.objects.get(username="grace")
    assert (grace.role, grace.has_usable_password()) == ("viewer", False)
    assert {"connect", "join"} <= set(Entry.objects.values_list("action", flat=True))
    again = Client()
    come(again, issuer, {**GRACE, "email": "new@elsewhere.example", "preferred_username": "x"})
    assert who(again) == "grace", "the subject is who it is; an address may change"
    assert User.objects.count() == 1


def test_the_session_gets_a_new_key(issuer, client):
    address = there(client, issuer, GRACE)
    before = client.cookies["sessionid"].value
    client.get(address)
    assert client.cookies["sessionid"].value != before


@pytest.mark.parametrize(
    "claims",
    [
        {**GRACE, "email": "grace@elsewhere.example"},
        {**GRACE, "email": "grace@uni.example.evil.example"},
        {**GRACE, "email": "grace@evil@uni.example@x"},
        {**GRACE, "email_verified": False},
        {**GRACE, "email_verified": "true"},
        {**GRACE, "email": None},
    ],
)
def test_who_is_neither_invited_nor_of_the_domain_stays_out(issuer, client, claims):
    answer = come(client, issuer, claims)
    assert answer.status_code == 403
    assert "ask an admin for an invitation" in answer.content.decode()
    assert who(client) == ""
    assert not User.objects.exists()


def test_who_is_invited_gets_the_role_of_the_invitation_once(issuer, client):
    admin = person("ada", role=User.Role.ADMIN)
    token = Invitation.objects.issue(invited_by=admin, role="member", note="Mary")
    stranger = {"sub": "8", "preferred_username": "ada"}
    come(client, issuer, stranger, f"?invitation={token}")
    mary = Identity.objects.get(subject="8").user
    assert who(client) == mary.username != "ada", "the name was taken"
    assert mary.role == "member"
    second = come(Client(), issuer, {"sub": "9"}, f"?invitation={token}")
    assert second.status_code == 403


def test_a_member_connects_their_account(issuer, client):
    ada = person("ada")
    client.force_login(ada)
    assert come(client, issuer, {"sub": "7"}).url == "/account/"
    assert "You can sign in with the university as well" in client.get("/account/").content.decode()
    visitor = Client()
    come(visitor, issuer, {"sub": "7"})
    assert who(visitor) == "ada"
    other = signed_in(person("mel"))
    assert come(other, issuer, {"sub": "7"}).status_code == 403
    assert who(other) == "mel"


def test_who_was_let_out_stays_out(issuer, client):
    come(Client(), issuer, GRACE)
    User.objects.update(is_active=False)
    answer = come(client, issuer, GRACE)
    assert answer.status_code == 403
    assert "switched off" in answer.content.decode()


PAST = 1_600_000_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": None},
        {"aud": ["another client"]},
        {"iss": "http://127.0.0.1:1"},
        {"iss": None},
        {"exp": PAST},
        {"exp": None},
        {"iat": 4_000_000_000, "nbf": 4_000_000_000},
        {"sign_with": "never published"},
        {"algorithm": "HS256"},
        {"algorithm": "none"},
        {"no_id_token": True},
        {"sub": None},
        {"sub": ""},
        {"sub": "a" * 300},
    ],
    ids=str,
)
def test_a_token_that_is_wrong_lets_nobody_in(issuer, client, wrong: dict[str, Any]):
    answer = come(client, issuer, {**GRACE, **wrong})
    assert answer.status_code == 403
    assert who(client) == ""
    assert not User.objects.exists()


def test_a_state_that_is_not_this_browsers_lets_nobody_in(issuer, client):
    address = there(client, issuer, GRACE)
    assert Client().get(address).status_code == 403, "another browser"
    head, _, _ = address.partition("&state=")
    assert client.get(f"{head}&state=another").status_code == 403
    assert client.get(head).status_code == 403
    assert not User.objects.exists()


def test_who_comes_twice_at_the_same_moment_is_made_once(issuer, client, monkeypatch):
    real = services._of_a_domain

    def beaten_to_it(claims):
        Identity.objects.create(user=person("first"), issuer=issuer, subject=claims["sub"])
        return real(claims)

    monkeypatch.setattr(services, "_of_a_domain", beaten_to_it)
    answer = come(client, issuer, GRACE)
    assert answer.status_code == 403
    assert "try again" in answer.content.decode()
    assert not User.objects.filter(username="grace").exists()


def test_a_code_works_once(issuer, client):
    address = there(client, issuer, GRACE)
    assert client.get(address).status_code == 302
    assert Client().get(address).status_code == 403
    client.logout()
    assert client.get(address).status_code == 403


def test_a_refusal_of_the_provider_and_one_that_is_away_are_said(client, settings, issuer):
    answer = client.get("/single-sign-on/back?error=access_denied&error_description=<b>no</b>")
    assert answer.status_code == 403
    assert "<b>" not in answer.content.decode()
    settings.SINGLE_SIGN_ON = SingleSignOn("http://127.0.0.1:1", "a", "b", "the moon", (), "viewer")
    answer = client.get("/single-sign-on/")
    assert answer.status_code == 502
    assert "The moon cannot be reached now" in answer.content.decode()


def test_the_pages_offer_it_where_it_is(client, settings):
    assert "Sign in with the university" in client.get("/sign-in/").content.decode()
    settings.SINGLE_SIGN_ON = None
    assert "single-sign-on" not in client.get("/sign-in/").content.decode()
    assert client.get("/single-sign-on/").status_code == 404
    assert client.get("/single-sign-on/back").status_code == 404
