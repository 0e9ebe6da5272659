"""Every address × everybody: the rules, and that each address has one.

The addresses come from the URL configuration itself: one without a rule fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.webapp.everything import everything
from webapp.accounts.models import User

pytestmark = pytest.mark.django_db

PEOPLE = ("visitor", "viewer", "member", "owner", "admin")
"""`owner` is a member whose experiment, draft, token and link the addresses name; `member` is
another one."""

DOOR, HIDDEN, FORBIDDEN, IN = "sent to the door", "not there", "forbidden", "in"
# What each of PEOPLE meets.
Rule = tuple[str, str, str, str, str]
ANYBODY: Rule = (IN, IN, IN, IN, IN)
LOOK: Rule = (DOOR, IN, IN, IN, IN)
OWN_ACCOUNT: Rule = LOOK
LAUNCH: Rule = (DOOR, FORBIDDEN, IN, IN, IN)
CHANGE: Rule = (DOOR, FORBIDDEN, FORBIDDEN, IN, IN)
OWNER_ALONE: Rule = (DOOR, HIDDEN, HIDDEN, IN, HIDDEN)
OWN_AND_NO_VIEWER: Rule = (DOOR, FORBIDDEN, HIDDEN, IN, HIDDEN)
OWN_OR_ADMIN: Rule = (DOOR, FORBIDDEN, HIDDEN, IN, IN)
ADMIN_SEES: Rule = (DOOR, HIDDEN, HIDDEN, HIDDEN, IN)
ADMIN_SENDS: Rule = (DOOR, FORBIDDEN, HIDDEN, HIDDEN, IN)
ADMIN_ORDERS: Rule = (DOOR, FORBIDDEN, FORBIDDEN, FORBIDDEN, IN)
NOT_THERE: Rule = (HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN)
"""Off unless the server's keeper switches it on; tests/webapp/single_sign_on/ does."""
ADMIN_SCRAPES: Rule = (DOOR, DOOR, DOOR, DOOR, IN)

RULES: dict[str, dict[str, Rule]] = {
    "healthz": {"GET": ANYBODY},
    # -- people --
    "accounts:sign-in": {"GET": ANYBODY, "POST": ANYBODY},
    "accounts:sign-in-link": {"GET": ANYBODY},
    "accounts:sign-out": {"POST": OWN_ACCOUNT},
    "accounts:sign-out-elsewhere": {"POST": OWN_ACCOUNT},
    "accounts:account": {"GET": OWN_ACCOUNT, "POST": OWN_ACCOUNT},
    "accounts:tokens": {"GET": OWN_ACCOUNT, "POST": OWN_ACCOUNT},
    "accounts:revoke-token": {"POST": OWNER_ALONE},
    "accounts:single-keys": {"POST": OWN_ACCOUNT},
    "accounts:tour": {"POST": OWN_ACCOUNT},
    "accounts:join": {"GET": ANYBODY, "POST": ANYBODY},
    "accounts:people": {"GET": ADMIN_SEES},
    "scheduling:quotas": {"GET": ADMIN_SEES},
    "scheduling:set-quota": {"POST": ADMIN_SENDS},
    "accounts:invite": {"POST": ADMIN_SENDS},
    "accounts:withdraw": {"POST": ADMIN_SENDS},
    "accounts:change-person": {"POST": ADMIN_SENDS},
    "accounts:link-for-person": {"POST": ADMIN_SENDS},
    "audit:entries": {"GET": ADMIN_SEES},
    "observability:metrics": {"GET": ADMIN_SCRAPES},
    "observability:errors": {"GET": ADMIN_SEES},
    "observability:forget": {"POST": ADMIN_SENDS},
    "single_sign_on:begin": {"GET": NOT_THERE},
    "single_sign_on:callback": {"GET": NOT_THERE},
    # -- experiments --
    "experiments:home": {"GET": LOOK},
    "experiments:running": {"GET": LOOK},
    "experiments:new": {"GET": LOOK},
    "experiments:form": {"POST": LOOK},
    "experiments:yaml": {"POST": LOOK},
    "experiments:preflight": {"GET": LOOK},
    "experiments:launch": {"POST": LAUNCH},
    "experiments:preset-results": {"GET": LOOK},
    "experiments:launch-preset": {"POST": LAUNCH},
    "experiments:discard-draft": {"POST": OWNER_ALONE},
    "experiments:restore-draft": {"POST": OWNER_ALONE},
    "experiments:detail": {"GET": LOOK},
    "experiments:spec": {"GET": LOOK},
    "experiments:rename": {"POST": CHANGE},
    "experiments:cancel": {"POST": CHANGE},
    # -- runs --
    "runs:list": {"GET": LOOK},
    "runs:rows": {"GET": LOOK},
    "runs:complete": {"GET": LOOK},
    "runs:act": {"POST": LAUNCH},
    "runs:columns": {"POST": OWN_ACCOUNT},
    "runs:save-view": {"POST": LAUNCH},
    "runs:delete-view": {"POST": OWN_AND_NO_VIEWER},
    "runs:detail": {"GET": LOOK},
    "runs:now": {"GET": LOOK},
    "runs:events": {"GET": LOOK},
    "runs:log": {"GET": LOOK},
    "runs:checkpoint": {"GET": LOOK},
    "runs:pause": {"POST": CHANGE},
    "runs:resume": {"POST": CHANGE},
    "runs:cancel": {"POST": CHANGE},
    "runs:rename": {"POST": CHANGE},
    "runs:priority": {"POST": CHANGE},
    "runs:notes": {"POST": CHANGE},
    "runs:delete": {"POST": CHANGE},
    # -- beside each other, and taken away --
    "compare:compare": {"GET": LOOK},
    "compare:summary": {"GET": LOOK},
    "compare:charts": {"GET": LOOK},
    "compare:chart-file": {"GET": LOOK},
    "compare:to-add": {"GET": LOOK},
    "exports:figures": {"GET": LOOK},
    "exports:figure-file": {"GET": LOOK},
    "exports:summary-file": {"GET": LOOK},
    "exports:pictures-beside": {"GET": LOOK},
    "exports:pictures": {"GET": LOOK},
    "exports:picture": {"GET": LOOK},
    "exports:picture-file": {"GET": LOOK},
    "sharing:create": {"POST": LAUNCH},
    "sharing:links": {"GET": LOOK},
    "sharing:revoke": {"POST": OWN_OR_ADMIN},
    "sharing:page": {"GET": ANYBODY},
    "sharing:state": {"GET": ANYBODY},
    "sharing:figures": {"GET": ANYBODY},
    "sharing:figure-file": {"GET": ANYBODY},
    "sharing:summary-file": {"GET": ANYBODY},
    "sharing:pictures": {"GET": ANYBODY},
    "sharing:picture": {"GET": ANYBODY},
    "sharing:picture-file": {"GET": ANYBODY},
    **{
        f"sharing:{name}": {"GET": ANYBODY}
        for name in ["summary", "charts", "chart-file", "pictures-beside", "picture-beside"]
    },
    "sharing:embed": {"GET": ANYBODY},
    # -- the lab --
    "workers:queue": {"GET": LOOK},
    "workers:act-on-worker": {"POST": ADMIN_ORDERS},
    "workers:act-on-run": {"POST": ADMIN_ORDERS},
    "forecasts:accuracy": {"GET": LOOK},
    "forecasts:accuracy-charts": {"GET": LOOK},
    "forecasts:panel": {"GET": LOOK},
    "forecasts:run": {"GET": LOOK},
    "forecasts:experiment": {"GET": LOOK},
    "graph_size:page": {"GET": LOOK},
    "graph_size:chart": {"GET": LOOK},
    "gallery:index": {"GET": LOOK},
    "gallery:page": {"GET": LOOK},
    "gallery:figures": {"GET": LOOK},
    "gallery:figure-file": {"GET": LOOK},
    "gallery:launch": {"POST": LAUNCH},
    "help:index": {"GET": LOOK},
    "help:fields": {"GET": LOOK},
    "help:charts": {"GET": LOOK},
    "help:estimators": {"GET": LOOK},
    "help:queries": {"GET": LOOK},
    "help:estimator": {"GET": LOOK},
    "search:search": {"GET": LOOK},
    # -- the API; several routes may share an address, whose name is then the first one's --
    "api-v1:api-root": {},
    "api-v1:openapi": {"GET": LOOK},
    "api-v1:experiments": {"GET": LOOK, "POST": LAUNCH},
    "api-v1:validate": {"POST": LOOK},
    "api-v1:experiment": {"GET": LOOK, "PATCH": CHANGE},
    "api-v1:forecast": {"POST": LOOK},
    "api-v1:runs": {"GET": LOOK},
    "api-v1:run": {"GET": LOOK, "DELETE": CHANGE},
    "api-v1:events": {"GET": LOOK},
    "api-v1:cancel": {"POST": CHANGE},
    "api-v1:pause": {"POST": CHANGE},
    "api-v1:priority": {"POST": CHANGE},
    "api-v1:resume": {"POST": CHANGE},
    "api-v1:series": {"GET": LOOK},
    "api-v1:reduced_series": {"GET": LOOK},
    "api-v1:pictures": {"GET": LOOK},
    "api-v1:picture": {"GET": LOOK},
    "api-v1:picture_png": {"GET": LOOK},
    "api-v1:compare": {"GET": LOOK},
    "api-v1:export_figure": {"GET": LOOK},
    "api-v1:export_summary": {"GET": LOOK},
    "api-v1:me": {"GET": LOOK},
    "api-v1:workers": {"GET": LOOK},
    "api-v1:queue": {"GET": LOOK},
    "api-v1:schema": {"GET": LOOK},
    "api-v1:presets": {"GET": LOOK},
}

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Address:
    name: str
    path: str
    """As the URL configuration writes it, without regular expressions."""


def addresses(resolver: URLResolver, namespace: str = "", path: str = "") -> Iterator[Address]:
    for entry in resolver.url_patterns:
        here = path + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Address(f"{namespace}{entry.name}", here)
        else:
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from addresses(entry, inner, here)


def first_of_each_path() -> list[Address]:
    """An address that several routes share answers by the first one's name."""
    found: dict[str, Address] = {}
    for address in addresses(get_resolver()):
        found.setdefault(address.path, address)
    return list(found.values())


def test_every_address_has_a_rule_and_every_rule_an_address():
    names = {address.name for address in first_of_each_path()}
    assert names - RULES.keys() == set(), "addresses without a rule"
    assert RULES.keys() - names == set(), "rules without an address"


# -- real addresses, and what is sent to them --

RUN_ACTIONS = (
    "now", "events", "checkpoint", "pause", "resume", "cancel", "rename", "notes", "delete",
    "priority",
)  # fmt: skip
PATHS: dict[str, str] = {
    "accounts:sign-in-link": "/sign-in/{sign_in}/",
    "accounts:revoke-token": "/account/tokens/{api_token}/revoke/",
    "accounts:join": "/join/{invitation}/",
    "scheduling:set-quota": "/people/quotas/{member}",
    "accounts:withdraw": "/people/invitations/{invitation_pk}/withdraw",
    "accounts:change-person": "/people/{member}/change",
    "accounts:link-for-person": "/people/{member}/link",
    "experiments:preflight": "/experiments/preflight/abc/0",
    "experiments:launch-preset": "/presets/short-window/launch",
    "experiments:discard-draft": "/experiments/drafts/{draft}/discard",
    "experiments:restore-draft": "/experiments/drafts/{draft}/restore",
    "experiments:detail": "/experiments/{experiment}/",
    "experiments:spec": "/experiments/{experiment}/spec.yaml",
    "experiments:rename": "/experiments/{experiment}/rename/",
    "experiments:cancel": "/experiments/{experiment}/cancel/",
    "runs:delete-view": "/runs/views/{view}/delete/",
    **{
        f"runs:{name}": f"/runs/{{run}}/{name}/"
        for name in [
            "now",
            "events",
            "checkpoint",
            "pause",
            "resume",
            "cancel",
            "rename",
            "notes",
            "delete",
            "priority",
        ]
    },
    "runs:detail": "/runs/{run}/",
    "runs:log": "/runs/{run}/log.txt",
    "compare:charts": "/compare/charts?runs={run}",
    "compare:chart-file": "/compare/chart.csv?runs={run}&chart=pareto",
    "compare:to-add": "/compare/to-add?runs={run}",
    "exports:figures": "/figures/?runs={run}",
    "exports:figure-file": "/exports/figure.csv?runs={run}&metric=meta_loss",
    "exports:summary-file": "/exports/summary.csv?runs={run}",
    "exports:pictures": "/runs/{run}/pictures/",
    "exports:picture": "/runs/{run}/pictures/weights/0/",
    "exports:picture-file": "/runs/{run}/pictures/weights/0/file.json",
    "sharing:revoke": "/share/{share_pk}/revoke",
    "sharing:page": "/s/{share_token}",
    "sharing:state": "/s/{share_token}/state",
    "sharing:figures": "/s/{share_token}/figures",
    "sharing:figure-file": "/s/{share_token}/figure.csv?metric=meta_loss",
    "sharing:summary-file": "/s/{share_token}/summary.csv",
    "sharing:pictures": "/s/{share_token}/pictures",
    "sharing:picture": "/s/{share_token}/pictures/weights/0/",
    "sharing:picture-file": "/s/{share_token}/pictures/weights/0/file.json",
    "sharing:summary": "/s/{comparison_token}/summary",
    "sharing:charts": "/s/{comparison_token}/charts",
    "sharing:chart-file": "/s/{comparison_token}/chart.csv?chart=pareto",
    "sharing:pictures-beside": "/s/{comparison_token}/pictures-beside",
    "sharing:picture-beside": "/s/{comparison_token}/pictures-beside/{run}/weights/0/",
    "sharing:embed": "/embed/{figure_token}",
    "workers:act-on-worker": "/queue/workers/{worker}/pause",
    "workers:act-on-run": "/queue/runs/{waiting}/front",
    "forecasts:panel": "/forecasts/abc/panel",
    "forecasts:run": "/runs/{run}/forecast",
    "forecasts:experiment": "/experiments/{experiment}/forecast",
    "gallery:page": "/gallery/truncation/",
    "gallery:figures": "/gallery/truncation/figures",
    "gallery:figure-file": "/gallery/truncation/figure.csv?figure=estimate",
    "gallery:launch": "/gallery/truncation/launch",
    "help:estimator": "/help/estimators/truncated",
    "api-v1:experiment": "/api/v1/experiments/{experiment}",
    "api-v1:run": "/api/v1/runs/{run}",
    **{
        f"api-v1:{name}": f"/api/v1/runs/{{run}}/{name}"
        for name in ["events", "cancel", "pause", "priority", "resume", "series", "pictures"]
    },
    "api-v1:reduced_series": "/api/v1/runs/{run}/series/reduced",
    "api-v1:picture": "/api/v1/runs/{run}/pictures/weights/0",
    "api-v1:picture_png": "/api/v1/runs/{run}/pictures/weights/0/png",
    "api-v1:compare": "/api/v1/compare?runs={run}",
    "api-v1:export_figure": "/api/v1/export/figure.csv?runs={run}&metric=meta_loss",
    "api-v1:export_summary": "/api/v1/export/summary.csv?runs={run}",
}
BODIES: dict[str, dict[str, str]] = {
    "api-v1:experiment": {"name": "another"},
    "accounts:invite": {"note": "x", "role": "member"},
    "accounts:change-person": {"role": "viewer"},
    "experiments:rename": {"name": "another"},
    "runs:rename": {"name": "another"},
    "runs:priority": {"priority": "low"},
    "api-v1:priority": {"priority": "low"},
    "runs:act": {"act": "tag", "runs": "{run}"},
}
MAY_BE_EMPTY = {
    "experiments:preflight",
    "forecasts:panel",
    "exports:picture",
    "exports:picture-file",
    "runs:checkpoint",
    "sharing:picture",
    "sharing:picture-file",
    "sharing:picture-beside",
    "api-v1:picture",
    "api-v1:picture_png",
}
"""Addresses of things that the lab of this test does not have: whoever is in meets 404."""


@pytest.fixture(scope="module")
def lab(django_db_setup, django_db_blocker) -> Iterator[dict[str, str]]:
    """What the addresses name, made once: each request is undone by a savepoint."""
    with django_db_blocker.unblock(), everything() as things:
        yield things


NAMES = {"viewer": "vic", "member": "mel", "owner": "oli", "admin": "ada"}


def asked(who: str, method: str, path: str, body: dict[str, str]) -> HttpResponse:
    client = Client(raise_request_exception=True)
    if who in NAMES:
        client.force_login(User.objects.get(username=NAMES[who]))
    if path.startswith("/api/"):
        return client.generic(method, path, json.dumps(body), content_type="application/json")
    return client.generic(
        method, path, urlencode(body), content_type="application/x-www-form-urlencoded"
    )


def met(answer: HttpResponse, name: str) -> str:
    if answer.status_code == 401 or answer.headers.get("Location", "").startswith("/sign-in/?"):
        return DOOR
    if answer.status_code == 404 and name not in MAY_BE_EMPTY:
        return HIDDEN
    return FORBIDDEN if answer.status_code == 403 else IN


@pytest.mark.parametrize("address", first_of_each_path(), ids=lambda address: address.name)
def test_everybody_meets_what_the_rule_says(address: Address, lab: dict[str, str]):
    name = address.name
    path = PATHS.get(name, f"/{address.path}").format(**lab)
    body = {key: value.format(**lab) for key, value in BODIES.get(name, {}).items()}
    found = {}
    for method in RULES[name]:
        found[method] = []
        for who in PEOPLE:
            with transaction.atomic():
                found[method].append(met(asked(who, method, path, body), name))
                transaction.set_rollback(True)
    assert found == {method: list(rule) for method, rule in RULES[name].items()}


@pytest.mark.parametrize("address", first_of_each_path(), ids=lambda address: address.name)
def test_no_other_method_is_let_through(address: Address, lab: dict[str, str]):
    name = address.name
    path = PATHS.get(name, f"/{address.path}").format(**lab)
    # Whoever is signed in already is sent on from the page of signing in, by any method.
    who = "visitor" if name == "accounts:sign-in" else "admin"
    for method in sorted(set(METHODS) - RULES[name].keys()):
        with transaction.atomic():
            status = asked(who, method, path, {}).status_code
            transaction.set_rollback(True)
        assert status in (404, 405), f"{method} {path}: {status}"


UNSAFE = [
    (address, method)
    for address in first_of_each_path()
    for method in RULES.get(address.name, {})
    if method != "GET"
]


@pytest.mark.parametrize(
    ("address", "method"), UNSAFE, ids=[f"{method} {address.name}" for address, method in UNSAFE]
)
def test_nothing_is_changed_for_another_site(address: Address, method: str, lab: dict[str, str]):
    """Whose pages know no CSRF token, though the browser sends the session's cookie."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="ada"))
    path = PATHS.get(address.name, f"/{address.path}").format(**lab)
    headers = {"Origin": "https://evil.example", "Referer": "https://evil.example/"}
    # A form of another site can send JSON only as what it is not.
    answer = client.generic(method, path, "{}", content_type="text/plain", headers=headers)
    assert answer.status_code == 403, answer.status_code


@pytest.mark.parametrize("path", ["/s/{}", "/s/{}/state", "/s/{}/figures", "/embed/{}"])
def test_a_link_that_nobody_made_shows_nothing(path: str, lab):
    for who in PEOPLE:
        assert asked(who, "GET", path.format("made-up"), {}).status_code == 404
