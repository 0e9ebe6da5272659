"""A visitor with a link: sees what it names, by it alone, for as long as it holds; nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tests.webapp.everything import everything
from tests.webapp.factories import claimed, first_run, points
from tests.webapp.test_authorisation import (
    ANYBODY,
    DOOR,
    NOT_THERE,
    PATHS,
    RULES,
    first_of_each_path,
    met,
)
from webapp.accounts.models import User
from webapp.runs import services
from webapp.runs.models import Run
from webapp.sharing.models import Kind, ShareLink

OF_A_LINK = [
    address
    for address in first_of_each_path()
    if "<str:token>" in address.path or "(?P<token>" in address.path
    if address.name.startswith("sharing:")
]
NOT_BY_A_LINK = [
    address
    for address in first_of_each_path()
    if not {ANYBODY, NOT_THERE} & set(RULES[address.name].values())
]
OPENS = {
    "share_token": {
        "page", "state", "figures", "figure-file", "summary-file",
        "pictures", "picture", "picture-file",
    },
    "comparison_token": {
        "page", "state", "figures", "figure-file", "summary", "summary-file",
        "charts", "chart-file", "pictures-beside", "picture-beside",
    },
    "figure_token": {"page", "state", "figures", "figure-file", "embed"},
    "chart_token": {"page", "state", "charts", "chart-file", "embed"},
}  # fmt: skip
"""What links to a run, a comparison, the figure of a metric and a chart of a comparison open."""
OF_A_PICTURE = ("picture", "picture-file", "picture-beside")
"""The run has no picture yet, which is the other reason for a 404."""


@pytest.fixture(scope="module")
def lab(django_db_setup, django_db_blocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock(), everything() as things:
        yield things


pytestmark = pytest.mark.django_db


def opened(lab: dict[str, str], name: str, token: str) -> HttpResponse:
    """What a visitor meets at an address of links with `token`."""
    things = {**lab, **dict.fromkeys(OPENS, token)}
    return Client().get(PATHS[name].format(**things), follow=True)


def test_there_are_addresses_of_links():
    assert {address.name for address in OF_A_LINK} == {
        f"sharing:{name}" for name in set().union(*OPENS.values())
    }
    assert len(NOT_BY_A_LINK) > 60


@pytest.mark.parametrize("address", OF_A_LINK, ids=lambda address: address.name)
@pytest.mark.parametrize("kind", OPENS)
def test_a_link_opens_what_is_of_its_kind(address, kind: str, lab):
    name = address.name.removeprefix("sharing:")
    answer = opened(lab, address.name, lab[kind])
    may = name in OPENS[kind] and name not in OF_A_PICTURE
    assert (answer.status_code == 200) == may, answer.status_code


@pytest.mark.parametrize("address", OF_A_LINK, ids=lambda address: address.name)
@pytest.mark.parametrize("end", ["expired", "revoked", "its owner left", "its runs are gone"])
def test_a_link_that_ended_opens_nothing(address, end: str, lab):
    name = address.name.removeprefix("sharing:")
    token = next(lab[kind] for kind, names in OPENS.items() if name in names)
    links, now = ShareLink.objects.all(), timezone.now()
    match end:
        case "expired":
            links.update(expires_at=now)
        case "revoked":
            links.update(revoked_at=now)
        case "its owner left":
            User.objects.filter(username="oli").update(is_active=False)
        case "its runs are gone":
            Run.objects.filter(pk__in=[lab["run"], lab["waiting"]]).delete()
    assert opened(lab, address.name, token).status_code == 404


@pytest.mark.parametrize("address", NOT_BY_A_LINK, ids=lambda address: address.name)
def test_a_link_opens_no_other_door(address, lab):
    """Neither after it was opened in the same browser, nor sent as if it were a script's token."""
    path = PATHS.get(address.name, f"/{address.path}").format(**lab)
    visitor = Client()
    visitor.get(f"/s/{lab['share_token']}", follow=True)
    assert "sessionid" not in visitor.cookies
    for method in RULES[address.name]:
        for headers in ({}, {"Authorization": f"Bearer {lab['share_token']}"}):
            answer = visitor.generic(method, path, headers=headers)
            assert met(answer, address.name) == DOOR, f"{method} {path}: {answer.status_code}"


def test_a_link_shows_no_other_run(lab):
    secret = claimed(first_run(User.objects.get(username="mel"), name="not shared"))
    services.record_points(run_id=secret.pk, attempt=1, points=points(1, 3, offset=777.0))
    # Neither a token nor a code version, made of any letters and digits, can hold the point.
    a_value = "777."
    _, its_own = ShareLink.objects.issue(
        owner=secret.experiment.owner, lifetime=timedelta(days=1), kind=Kind.RUN, runs=[secret.pk]
    )
    own = Client().get(f"/s/{its_own}/figure.csv?metric=meta_loss&runs={secret.pk}")
    assert a_value in own.content.decode(), "what its own link shows"
    for path in [
        f"/s/{lab['share_token']}/figures?runs={secret.pk}",
        f"/s/{lab['share_token']}/figure.csv?metric=meta_loss&runs={secret.pk}",
        f"/s/{lab['share_token']}/summary.csv?runs={secret.pk}",
        f"/s/{lab['share_token']}?runs={secret.pk}",
    ]:
        answer = Client().get(path)
        assert answer.status_code == 200, path
        shown = answer.content.decode()
        assert a_value not in shown, path
        assert "not shared" not in shown, path


def test_a_link_to_a_figure_shows_no_other_metric(lab):
    asked = f"/s/{lab['figure_token']}/figure.json?metric=bias"
    assert Client().get(asked).json()["figure"]["metric"] == "meta_loss"
