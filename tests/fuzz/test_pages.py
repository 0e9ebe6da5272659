"""Whatever is asked of a page or sent to a form: an answer, soon, and nothing kept that is refused.

The addresses are those of the URL configuration, so a new page is fuzzed from its first day.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.effort import examples, in_time
from tests.fuzz.hostile import TEXTS, VALUES, almost_specs
from tests.fuzz.kept import assert_sound, counts
from tests.webapp.everything import everything
from tests.webapp.test_authorisation import PATHS, RULES, first_of_each_path
from webapp.accounts.models import User

pytestmark = pytest.mark.django_db

PAGES = [
    (address, method)
    for address in first_of_each_path()
    for method in RULES.get(address.name, {})
    # It measures every broker and worker of the machine, and nothing is asked of it.
    if address.name != "healthz"
]
PARAMETERS = [
    "q", "runs", "metric", "x", "scale", "smoothing", "band", "hidden", "cost", "at", "width",
    "font", "baseline", "tested", "across", "along", "chart", "of.inner.steps", "status",
    "estimator", "task", "tag", "owner", "experiment", "sort", "columns", "group", "of", "size",
    "page", "address", "action", "act", "who", "view", "shared", "seen", "present", "notes",
    "level", "kind", "key", "figure", "draft", "discarded", "default", "days", "active", "role",
    "name", "note", "scopes", "username", "password", "next", "alone", "text", "after", "limit",
    "cursor", "preset", "clone", "_yaml", "_draft", "_saved", "_edit", "_seen", "_open", "_ahead",
    "_insist", "_preset", "_clone", "_experiment", "_action", "_wrong", "inner.steps",
    "estimators.0.kind", "estimators.0.window", "estimators.9999.kind", "sweep.0.field", "seeds",
    "sweep.0.values", "inner_task.kind", "meta_parameters.0.kind", "budget.seconds", "single_keys",
]  # fmt: skip
WORDS = [word for word in VALUES if isinstance(word, str)] + [
    "1", "0", "-1", "1,2", "1,1,1", "," * 2_000, "9" * 30, "nan", "inf", "on", "running", "created",
    "meta_loss", "theta.*", "theta.x", "-created", "estimator:unrolled", "bias<1 AND (", "(" * 500,
    "NOT " * 500, 'name:"', "inner.steps>1", "seed:1e400", "tag:\x00", "a OR " * 500,
    "?" + "&" * 99,
]  # fmt: skip
LONGEST_TO_READ = sorted(TEXTS, key=lambda text: text.count(","))[-3:]
"""Each comma is a value more, which costs more than characters do."""
IN_A_PATH = re.compile(r"\{(\w+)\}")


@pytest.fixture(scope="module")
def things(django_db_setup, django_db_blocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock(), everything() as made:
        yield made


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, list[tuple[str, str]], list[tuple[str, str]]]:
    """A method, a path with places for things, a query and a body."""
    address, method = draw(st.sampled_from(PAGES))
    pairs = st.lists(st.tuples(st.sampled_from(PARAMETERS), words), max_size=4)
    path = PATHS.get(address.name, f"/{address.path}")
    if draw(st.integers(0, 3)) == 0:
        path = IN_A_PATH.sub(lambda _: quote(draw(words)[:200], errors="replace"), path)
    return method, path, draw(pairs), draw(pairs) if method == "POST" else []


words = st.sampled_from(WORDS) | st.text(max_size=12)


def encoded(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, errors="surrogatepass")


def assert_answered(send: Any) -> None:
    with transaction.atomic():
        before = counts()
        answer: HttpResponse = in_time(send)
        # Without a worker that forecasts, 503 is a true answer.
        assert answer.status_code < 500 or answer.status_code == 503, answer.status_code
        if answer.status_code >= 400:
            draft = {"SavedDraft": 0}  # What is wrong in a form is kept as a draft, on purpose.
            assert counts() | draft == before | draft, f"{answer.status_code}, and yet kept"
        else:
            assert_sound(before)
        transaction.set_rollback(True)


def client_of(name: str) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.get(username=name))
    return client


@examples(60)
@given(request=requests(), who=st.sampled_from(["oli", "ada"]), fragment=st.booleans())
def test_any_query_and_any_form(things: dict[str, str], request, who: str, fragment: bool):
    method, path, query, body = request
    path = path.format(**things)
    path += ("&" if "?" in path else "?") + encoded(query)
    kind = "application/x-www-form-urlencoded"
    headers = {"HX-Request": "true"} if fragment else {}
    if path.startswith("/api/"):
        kind, body = "application/json", dict(body)
    sent = json.dumps(body) if path.startswith("/api/") else encoded(body)
    assert_answered(
        lambda: client_of(who).generic(method, path, sent, content_type=kind, headers=headers)
    )


@examples(20)
@given(
    path=st.sampled_from(["/experiments/form", "/experiments/yaml", "/experiments/"]),
    text=st.sampled_from(TEXTS) | almost_specs().map(json.dumps),
    rest=st.lists(st.tuples(st.sampled_from(PARAMETERS), words), max_size=3),
    fragment=st.booleans(),
)
def test_any_yaml_in_the_builder(things, path: str, text: str, rest: list, fragment: bool):
    body = [*rest, ("_yaml", text), ("_ahead", "yaml"), ("name", "a")]
    headers = {"HX-Request": "true"} if fragment else {}
    kind = "application/x-www-form-urlencoded"
    assert_answered(
        lambda: client_of("oli").generic(
            "POST", path, encoded(body), content_type=kind, headers=headers
        )
    )


@pytest.mark.parametrize("text", LONGEST_TO_READ, ids=range(len(LONGEST_TO_READ)))
def test_the_builder_answers_the_longest_texts_in_time(things, text: str):
    body = encoded([("_yaml", text), ("_ahead", "yaml"), ("name", "a")])
    kind = "application/x-www-form-urlencoded"
    assert_answered(
        lambda: client_of("oli").generic("POST", "/experiments/yaml", body, content_type=kind)
    )
