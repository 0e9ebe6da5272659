"""Every kind of answer has the best score that Mozilla's HTTP Observatory gives, as behind TLS."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.webapp.everything import everything
from tests.webapp.observatory import content_policy, cookies, modifiers, score
from webapp.accounts.models import User
from webapp.security import CONTENT_SECURITY_POLICY

pytestmark = pytest.mark.django_db

BEST = 100 + 10 + 5 + 5 + 10
"""Content policy, referrer, framing and resources; 5 more where the answer sets a cookie."""

KINDS = {
    "page": "/",
    "page for visitors": "/sign-in/",
    "API": "/api/v1/runs",
    "API, refused": "/api/v1/runs?limit=0",
    "API, not there": "/api/v1/runs/999999",
    "file": "/exports/figure.csv?runs={run}&metric=meta_loss",
    "fragment": "/runs/rows",
    "redirect": "/experiments/{experiment}",
    "to the door": "/account/",
    "not there": "/no-such-page",
    "refused": "/compare/chart.csv?runs={run}&chart=pareto&x=no",
    "shared": "/s/{share_token}",
    "health": "/healthz",
}
BY_NOBODY = {"page for visitors", "to the door", "shared"}


@pytest.fixture(scope="module")
def things(django_db_setup, django_db_blocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock(), everything() as made:
        yield made


@pytest.fixture(autouse=True)
def behind_tls(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the production settings say of headers and cookies."""
    monkeypatch.setenv("SECRET_KEY", "of the tests")
    monkeypatch.setenv("ALLOWED_HOSTS", "testserver")
    production = importlib.import_module("webapp.settings.production")
    for name, value in vars(production).items():
        if name.startswith("SECURE_") or "_COOKIE_" in name:
            setattr(settings, name, value)


def answer_of(kind: str, things: dict[str, str]) -> HttpResponse:
    client = Client(raise_request_exception=False)
    if kind not in BY_NOBODY:
        client.force_login(User.objects.get(username="oli"))
    return client.get(KINDS[kind].format(**things), secure=True)


def assert_best(answer: HttpResponse) -> None:
    assert score(answer) == BEST + (5 if answer.cookies else 0), modifiers(answer)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_answer_has_the_best_score(kind: str, things):
    answer = answer_of(kind, things)
    assert_best(answer)
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]


def test_answers_to_another_host_and_to_a_mistake_of_ours_have_it_too(things, monkeypatch):
    client = Client(raise_request_exception=False)
    other = client.get("/sign-in/", secure=True, headers={"Host": "evil.example"})
    assert other.status_code == 400
    assert_best(other)
    client.force_login(User.objects.get(username="oli"))
    monkeypatch.setattr("webapp.search.views.render", None)
    mistake = client.get("/search", secure=True)
    assert mistake.status_code == 500
    assert_best(mistake)


def test_a_figure_may_be_framed_by_others_and_loses_that_alone(things):
    answer = Client().get(f"/embed/{things['figure_token']}", secure=True)
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert score(answer) == BEST - 10


def test_signing_in_gives_cookies_that_no_script_reads_and_no_other_site_sends(things):
    user = User.objects.get(username="oli")
    user.set_password("a long enough passphrase")
    user.save()
    client = Client()
    fields = {"username": "oli", "password": "a long enough passphrase"}
    answer = client.post("/sign-in/", fields, secure=True)
    assert answer.status_code == 302
    session = answer.cookies["__Host-sessionid"]
    assert (session["httponly"], session["secure"], session["samesite"]) == (True, True, "Lax")
    assert (session["path"], session["domain"]) == ("/", "")
    assert cookies(list(answer.cookies.values())) == 5


@pytest.mark.parametrize(
    ("policy", "change"),
    [
        ("", -25),
        ("default-src 'self'; script-src 'self' 'unsafe-inline'", -20),
        ("script-src 'self'", -20),
        ("default-src 'self'; script-src 'self' 'unsafe-eval'", -10),
        ("default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'", 0),
        ("default-src 'self'", 5),
        (CONTENT_SECURITY_POLICY, 10),
    ],
)
def test_the_computation_tells_policies_apart(policy: str, change: int):
    assert content_policy(policy) == change
