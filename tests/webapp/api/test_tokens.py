"""Tokens: who may what on every route, how they are kept, made and revoked."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from ninja.operation import Operation

from engine.spec import to_yaml, validate
from tests.webapp.factories import QUADRATIC, first_run, person, signed_in
from webapp.accounts.models import ApiToken, Scope, User
from webapp.api.describing import scope_of
from webapp.api.endpoints import api
from webapp.audit.models import Entry
from webapp.experiments.models import Experiment

pytestmark = pytest.mark.django_db


def routes() -> list[tuple[str, str, Operation]]:
    return [
        (method, path, operation)
        for router in api._get_bound_routers()
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    ]


ROUTES = routes()
IDS = [f"{method} {path}" for method, path, _ in ROUTES]


def token(user: User, *scopes: str, lifetime: timedelta = timedelta(days=1)) -> str:
    return ApiToken.objects.issue(user=user, name="test", scopes=list(scopes), lifetime=lifetime)


def sent(method: str, path: str, key: str = "", **more):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    client = Client(enforce_csrf_checks=True)
    return client.generic(method, f"/api/v1{path}", headers=headers, **more)


@pytest.fixture
def ada() -> User:
    return person("ada")


def reachable(path: str, run) -> str:
    """`path` with the run, the experiment and the picture that it names."""
    known = {
        "run_id": run.pk,
        "experiment_id": run.experiment_id,
        "name": "none",
        "step": 0,
        "extension": "csv",
    }
    return re.sub(r"{(?:\w+:)?(\w+)}", lambda found: str(known[found[1]]), path)


@pytest.mark.parametrize(("method", "path", "operation"), ROUTES, ids=IDS)
def test_every_route_asks_for_its_scope_and_no_other(ada, method, path, operation) -> None:
    run = first_run(ada)
    address = reachable(path, run)
    scope = scope_of(operation)

    stranger = sent(method, address)
    assert stranger.status_code == 401
    assert stranger.headers["WWW-Authenticate"] == "Bearer"
    assert stranger.headers["Content-Type"] == "application/problem+json"
    assert sent(method, address, "lab_nonsense").status_code == 401

    others = [other for other in Scope.values if other != scope]
    refused = sent(method, address, token(ada, *others))
    assert refused.status_code == 403
    assert f"scope {scope}" in refused.json()["detail"]

    let_in = sent(method, address, token(ada, scope))
    assert let_in.status_code not in (401, 403, 500)


def test_reading_needs_no_more_than_read() -> None:
    scopes = {(method, path): scope_of(operation) for method, path, operation in ROUTES}
    assert all(scope == Scope.READ for (method, _), scope in scopes.items() if method == "GET")
    assert scopes["POST", "/experiments"] == Scope.LAUNCH
    assert scopes["DELETE", "/runs/{run_id}"] == Scope.ADMIN


def test_a_token_launches_without_a_csrf_token_and_a_session_does_not(ada) -> None:
    body = {"data": to_yaml(validate(QUADRATIC)), "content_type": "application/yaml"}
    answer = sent("POST", "/experiments", token(ada, "launch"), **body)
    assert (answer.status_code, answer.json()["owner"]) == (201, "ada")
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert client.post("/api/v1/experiments", **body).status_code == 403
    assert Experiment.objects.count() == 1


@pytest.mark.parametrize("end", ["expired", "revoked", "switched off"])
def test_a_token_that_is_over_lets_nobody_in(ada, end) -> None:
    key = token(ada, "read", lifetime=timedelta(days=-1 if end == "expired" else 1))
    if end == "revoked":
        ApiToken.objects.update(revoked_at=timezone.now())
    if end == "switched off":
        User.objects.update(is_active=False)
    answer = sent("GET", "/me", key)
    assert answer.status_code == 401
    assert "unknown, expired or revoked" in answer.json()["detail"]


def test_a_bad_token_is_not_made_good_by_a_session(ada) -> None:
    client = signed_in(ada)
    answer = client.get("/api/v1/me", headers={"Authorization": "Bearer lab_nonsense"})
    assert answer.status_code == 401


def test_only_a_digest_is_kept_and_each_use_is_noted(ada, django_assert_num_queries) -> None:
    key = token(ada, "read")
    kept = ApiToken.objects.get()
    assert kept.digest == hashlib.sha256(key.encode()).hexdigest()
    assert kept.prefix == key[:12]
    assert key not in str(list(ApiToken.objects.values()))
    assert kept.last_used_at is None
    me = sent("GET", "/me", key).json()
    assert me["token"] == {
        "name": "test",
        "prefix": key[:12],
        "scopes": ["read"],
        "expires_at": me["token"]["expires_at"],
    }
    kept.refresh_from_db()
    used = kept.last_used_at
    assert used is not None
    sent("GET", "/me", key)
    kept.refresh_from_db()
    assert kept.last_used_at == used
    ApiToken.objects.update(last_used_at=used - timedelta(minutes=2))
    sent("GET", "/me", key)
    kept.refresh_from_db()
    assert kept.last_used_at > used - timedelta(minutes=1)


def test_what_belongs_to_others_needs_an_admin_and_the_scope(ada) -> None:
    run = first_run(ada)
    root = person("root", role=User.Role.ADMIN)
    bob = person("bob")

    def cancelled_by(user: User, *scopes: str) -> int:
        return sent("POST", f"/runs/{run.pk}/cancel", token(user, *scopes)).status_code

    assert cancelled_by(bob, "launch") == 403
    assert cancelled_by(bob, "launch", "admin") == 403
    refused = sent("POST", f"/runs/{run.pk}/cancel", token(root, "launch"))
    assert (refused.status_code, "scope admin" in refused.json()["detail"]) == (403, True)
    assert cancelled_by(root, "launch", "admin") == 200


class TestAccountPage:
    @pytest.fixture
    def client(self, ada) -> Client:
        return signed_in(ada)

    def test_a_token_is_shown_once(self, client, ada) -> None:
        page = client.post(
            "/account/tokens/", {"name": "notebook", "scopes": ["read", "launch"], "days": "90"}
        )
        assert page.status_code == 200
        assert "no-store" in page.headers["Cache-Control"]
        key = re.search(r"lab_[\w-]{43}", page.content.decode())[0]
        kept = ApiToken.objects.get(user=ada)
        assert (kept.name, kept.scopes) == ("notebook", ["read", "launch"])
        assert timedelta(days=89) < kept.expires_at - timezone.now() <= timedelta(days=90)
        assert sent("GET", "/me", key).status_code == 200
        later = client.get("/account/tokens/").content.decode()
        assert key not in later
        assert kept.prefix in later

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"name": "", "scopes": ["read"], "days": "90"}, "required"),
            ({"name": "a", "days": "90"}, "Tick at least one"),
            ({"name": "a", "scopes": ["root"], "days": "90"}, "root"),
            ({"name": "a", "scopes": ["read"], "days": "9999"}, "9999"),
        ],
    )
    def test_a_bad_form_says_what_is_wrong_and_makes_nothing(self, client, given, words) -> None:
        page = client.post("/account/tokens/", given)
        assert page.status_code == 422
        assert words in page.content.decode()
        assert not ApiToken.objects.exists()

    def test_a_revoked_token_is_out_at_once_and_only_by_its_person(self, client, ada) -> None:
        key, others = token(ada, "read"), token(person("bob"), "read")
        mine, bobs = ApiToken.objects.order_by("pk")
        assert client.post(f"/account/tokens/{bobs.pk}/revoke/").status_code == 404
        assert client.post(f"/account/tokens/{mine.pk}/revoke/").status_code == 302
        assert sent("GET", "/me", key).status_code == 401
        assert sent("GET", "/me", others).status_code == 200
        told = Entry.objects.get(action="revoke a token")
        assert (told.actor, told.target) == (ada, "test of ada")


class TestCommand:
    def told(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command("api_token", *arguments, stdout=out)
        return out.getvalue()

    def test_it_makes_lists_and_revokes(self, ada) -> None:
        made = self.told("create", "nightly", "--user", "ada", "--scopes", "read,launch")
        key = made.strip()
        assert sent("GET", "/me", key).json()["token"]["scopes"] == ["read", "launch"]
        assert key not in self.told("list")
        assert f"{key[:12]}…" in self.told("list", "--user", "ada")
        self.told("revoke", key[:12])
        assert sent("GET", "/me", key).status_code == 401
        assert "revoked" in self.told("list")

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["create", "a", "--user", "eve"], "no active member 'eve'"),
            (["create", "a", "--user", "ada", "--scopes", "all"], "allowed: read, launch, admin"),
            (["create", "a", "--user", "ada", "--days", "0"], "from 1 to 366"),
            (["revoke", "lab_12345678"], "no valid token"),
        ],
    )
    def test_it_says_what_is_wrong(self, ada, arguments, words) -> None:
        with pytest.raises(CommandError, match=re.escape(words)):
            self.told(*arguments)
