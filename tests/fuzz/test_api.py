"""Whatever is sent to a route of the API, it answers: soon, in its own words, and keeps no junk.

The requests come from schemathesis, which reads the lab's own description of its API: half of them
keep to it, half break it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.openapi import from_wsgi

from tests.fuzz.effort import examples, in_time
from tests.fuzz.hostile import almost_specs, any_text, any_value
from tests.fuzz.kept import assert_sound, counts
from tests.webapp.everything import everything
from webapp.accounts.models import Scope, User
from webapp.accounts.services import issue_token

pytestmark = pytest.mark.django_db

SPEC_ROUTES = ("/api/v1/experiments", "/api/v1/experiments/validate", "/api/v1/forecast")
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass(frozen=True)
class Described:
    """The routes as they describe themselves, what they can name, and a token that opens all."""

    operations: list[APIOperation]
    things: dict[str, str]
    token: str


@pytest.fixture(scope="module")
def api(django_db_setup, django_db_blocker) -> Iterator[Described]:
    with django_db_blocker.unblock(), everything() as things, connections_kept():
        ada = User.objects.get(username="ada")
        token = issue_token(user=ada, name="fuzz", scopes=list(Scope.values), days=1, by=ada)
        headers = {"Authorization": f"Bearer {token}"}
        schema = from_wsgi("/api/v1/openapi.json", get_wsgi_application(), headers=headers)
        operations = [found.ok() for found in schema.get_all_operations()]
        yield Described(operations, things, token)


@contextmanager
def connections_kept() -> Iterator[None]:
    """Requests are undone by a transaction around them, whose connection they must not close."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def assert_answered(send: Any) -> None:
    """What every answer keeps to; the request is undone."""
    with transaction.atomic():
        before = counts()
        answer = in_time(send)
        what = f"{answer.status_code}: {answer.content[:300]!r}"
        # Without a worker that forecasts, 503 is the true answer, in the API's own words.
        assert answer.status_code < 500 or answer.status_code == 503, what
        if answer.status_code >= 400:
            assert "application/problem+json" in str(answer.headers), what
            assert answer.json()["detail"], what
            assert counts() == before, f"refused, and yet kept: {what}"
        else:
            assert_sound(before)
        transaction.set_rollback(True)


@examples(60)
@given(data=st.data())
def test_requests_that_keep_to_the_description_and_that_break_it(api: Described, data):
    operation = data.draw(st.sampled_from(api.operations), label="route")
    case = data.draw(operation.as_strategy(data.draw(st.sampled_from(MODES))), label="request")
    case.headers.update({"Authorization": f"Bearer {api.token}", "Accept-Encoding": "identity"})
    for name in case.path_parameters:
        if data.draw(st.booleans(), label="a real id"):
            case.path_parameters[name] = api.things.get(name.removesuffix("_id"), "1")
    if operation.path == "/forecast":
        case.query["seconds"] = 0
    assert_answered(lambda: case.call())


@examples(50)
@given(
    path=st.sampled_from(SPEC_ROUTES),
    document=almost_specs() | any_value,
    way=st.sampled_from(["application/json", "application/yaml"]),
)
def test_specs_that_are_almost_right(api: Described, path: str, document: Any, way: str):
    assert_answered(lambda: posted(api, path, json.dumps(document), way))


@examples(30)
@given(
    path=st.sampled_from(SPEC_ROUTES),
    body=any_text.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(),
    way=st.sampled_from(["application/json", "application/yaml", "text/plain", "\x00", ""]),
)
def test_bytes_that_are_no_spec(api: Described, path: str, body: bytes, way: str):
    assert_answered(lambda: posted(api, path, body, way))


def posted(api: Described, path: str, body: Any, content_type: str) -> Any:
    """The answer to a body that is sent as it is."""
    return Client(raise_request_exception=False).generic(
        "POST",
        f"{path}?seconds=0" if path.endswith("forecast") else path,
        body,
        content_type=content_type,
        headers={"Authorization": f"Bearer {api.token}"},
    )
