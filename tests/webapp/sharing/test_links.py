"""Links: what they show and to whom, what they keep, and how they end."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from engine.events import Pictured
from engine.pictures import Curves, Line, Picture
from tests.webapp.factories import claimed, ids_of, launched, person, points, signed_in
from tests.webapp.sharing.link import link_to
from webapp.accounts.models import User, digest_of
from webapp.audit.models import Entry
from webapp.experiments.models import Experiment
from webapp.runs import services as runs
from webapp.sharing import services
from webapp.sharing.models import ENDED_ARE_LISTED, ShareLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def experiment() -> Experiment:
    """Two estimators with two seeds each, six points in each run, none of them ended."""
    made = launched(person("ada"), name="a secret bowl")
    for run in made.runs.order_by("number"):
        claimed(run)
        runs.record_points(run_id=run.pk, attempt=1, points=points(1, 6))
    return made


@pytest.fixture
def ada(experiment: Experiment) -> Client:
    return signed_in(experiment.owner)


def end(experiment: Experiment) -> None:
    for run in experiment.runs.all():
        runs.finish(run_id=run.pk, attempt=run.attempt, status="finished")


@pytest.mark.parametrize(
    ("count", "more", "kind"),
    [(1, {}, "run"), (4, {}, "comparison"), (4, {"metric": "meta_loss"}, "figure")],
)
def test_a_stranger_sees_what_is_shared(
    ada: Client, experiment: Experiment, count: int, more: dict, kind: str
) -> None:
    path = link_to(ada, ids_of(experiment)[:count], **more)
    assert ShareLink.objects.get().kind == kind
    stranger = Client()
    page = stranger.get(path)
    assert page.status_code == 200
    text = page.content.decode()
    assert "a secret bowl" in text
    assert "read-only until" in text
    assert "csrfmiddlewaretoken" not in text, "there is nothing to submit"
    told = stranger.get(f"{path}/figures").json()
    names = [figure["metric"] for figure in told["figures"]]
    assert (names == ["meta_loss"]) == (kind == "figure")
    drawn = next(figure for figure in told["figures"] if figure["metric"] == "meta_loss")
    assert len({trace["legendgroup"] for trace in drawn["plotly"]["data"]}) == (
        1 if kind == "run" else 2
    )


def test_a_link_shows_its_own_runs_whatever_is_asked(ada: Client, experiment: Experiment) -> None:
    other = launched(person("eve"), name="not shared").runs.first()
    path = link_to(ada, ids_of(experiment)[:1])
    stranger = Client()
    told = stranger.get(f"{path}/figures", {"runs": str(other.pk)}).json()
    assert list(told["sequences"]) == [str(ids_of(experiment)[0])]
    file = stranger.get(f"{path}/figure.json", {"runs": str(other.pk), "metric": "meta_loss"})
    assert json.loads(file.content)["provenance"]["runs"] == ids_of(experiment)[:1]


def test_of_a_shared_figure_nothing_else_is_shown(ada: Client, experiment: Experiment) -> None:
    hidden = str(ids_of(experiment)[0])
    path = link_to(ada, ids_of(experiment), metric="meta_loss", view=f"hidden={hidden}&x=seconds")
    stranger = Client()
    asked = {"metric": "seconds", "hidden": ""}
    told = json.loads(stranger.get(f"{path}/figure.json", asked).content)
    assert told["figure"]["metric"] == "meta_loss"
    assert int(hidden) not in told["provenance"]["runs"]
    page = stranger.get(f"{path}/figures", asked).json()
    (figure,) = page["figures"]
    assert hidden not in {trace["legendgroup"] for trace in figure["plotly"]["data"]}
    assert stranger.get(f"{path}/summary.csv").status_code == 404


def test_the_page_opens_as_it_was_shared(ada: Client, experiment: Experiment) -> None:
    path = link_to(ada, ids_of(experiment), view="x=seconds&smoothing=0.5&csrf=no&metric=bias")
    answer = Client().get(path)
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"{path}?x=seconds&smoothing=0.5",
    )


def test_it_is_live_until_the_runs_have_ended(ada: Client, experiment: Experiment) -> None:
    path = link_to(ada, ids_of(experiment))
    stranger = Client()
    assert "every 4s" in stranger.get(f"{path}/state").content.decode()
    end(experiment)
    assert "every 4s" not in stranger.get(f"{path}/state").content.decode()


def test_only_a_figure_can_be_embedded_and_only_there(ada: Client, experiment: Experiment) -> None:
    path = link_to(ada, ids_of(experiment), metric="meta_loss")
    stranger = Client()
    embedded = stranger.get(path.replace("/s/", "/embed/"))
    assert embedded.status_code == 200
    assert "frame-ancestors *" in embedded.headers["Content-Security-Policy"]
    assert "script-src 'self'" in embedded.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in embedded.headers
    page = stranger.get(path)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    whole = link_to(ada, ids_of(experiment))
    refused = stranger.get(whole.replace("/s/", "/embed/"))
    assert refused.status_code == 404
    assert "frame-ancestors 'none'" in refused.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["", "/state", "/figures", "/figure.svg", "/summary.csv"])
def test_the_address_is_kept_to_whom_it_was_given(
    ada: Client, experiment: Experiment, path: str
) -> None:
    answer = Client().get(link_to(ada, ids_of(experiment)) + path, {"metric": "meta_loss"})
    assert answer.status_code == 200
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]


def test_the_token_is_not_kept(ada: Client, experiment: Experiment) -> None:
    path = link_to(ada, ids_of(experiment))
    token = path.removeprefix("/s/")
    row = ShareLink.objects.values().get()
    assert row["digest"] == digest_of(token)
    assert token not in json.dumps(row, default=str)
    assert token.startswith(row["prefix"])
    assert token not in ada.get("/share/links").content.decode()


def expire(link: ShareLink) -> None:
    ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def revoke(link: ShareLink) -> None:
    services.revoke(user=link.owner, pk=link.pk)


def leave(link: ShareLink) -> None:
    User.objects.filter(pk=link.owner_id).update(is_active=False)


def delete(link: ShareLink) -> None:
    Experiment.objects.all().delete()


@pytest.mark.parametrize("ending", [expire, revoke, leave, delete])
@pytest.mark.parametrize("path", ["", "/state", "/figures", "/figure.csv", "/summary.csv"])
def test_what_is_over_says_nothing(ada: Client, experiment: Experiment, ending, path: str) -> None:
    shared = link_to(ada, ids_of(experiment))
    ending(ShareLink.objects.select_related("owner").get())
    stranger = Client()
    over = stranger.get(shared + path, {"metric": "meta_loss"})
    never = stranger.get(f"/s/{'x' * 43}{path}", {"metric": "meta_loss"})
    assert over.status_code == never.status_code == 404
    for answer in (over, never):
        assert "secret" not in answer.content.decode()
        assert "This link shows nothing" in answer.content.decode()
    assert without_token(over.content) == without_token(never.content)


def without_token(page: bytes) -> str:
    return re.sub(r'"X-CSRFToken": "\w*"', "", page.decode())


def test_an_open_page_stops_asking_when_its_link_ends(ada: Client, experiment: Experiment) -> None:
    shared = link_to(ada, ids_of(experiment))
    revoke(ShareLink.objects.select_related("owner").get())
    answer = Client().get(f"{shared}/state", headers={"HX-Request": "true"})
    assert answer.status_code == 286
    assert "does not work any more" in answer.content.decode()


def test_the_last_use_is_noted_at_most_once_a_minute(ada: Client, experiment: Experiment) -> None:
    path = link_to(ada, ids_of(experiment))
    assert ShareLink.objects.get().last_used_at is None
    Client().get(path)
    first = ShareLink.objects.get().last_used_at
    assert first is not None
    Client().get(path)
    assert ShareLink.objects.get().last_used_at == first
    ShareLink.objects.update(last_used_at=first - timedelta(minutes=2))
    Client().get(path)
    assert ShareLink.objects.get().last_used_at >= first


def test_one_revokes_ones_own_and_an_admin_any(ada: Client, experiment: Experiment) -> None:
    link_to(ada, ids_of(experiment))
    link = ShareLink.objects.get()
    eve, admin = signed_in(person("eve")), signed_in(person("root", role=User.Role.ADMIN))
    assert eve.post(f"/share/{link.pk}/revoke").status_code == 404
    assert link.title not in eve.get("/share/links").content.decode()
    assert ShareLink.objects.get().state == "works"
    listed = admin.get("/share/links").content.decode()
    assert "a secret bowl" in listed
    assert "ada" in listed
    assert "revoked" in admin.post(f"/share/{link.pk}/revoke").content.decode()
    assert ShareLink.objects.get().state == "revoked"
    about = Entry.objects.filter(action__endswith="share").order_by("pk")
    kept = list(about.values_list("action", "actor_name"))
    assert kept == [("share", "ada"), ("revoke a share", "root")]
    assert Client().post(f"/share/{link.pk}/revoke").status_code == 302, "to the sign-in page"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"days": "2"}, "days: '2' is not possible; allowed: 1, 7, 30, 90, 365."),
        ({"days": "soon"}, "days: 'soon' is not possible"),
        ({"runs": ""}, "runs: nothing given"),
        ({"runs": "all"}, "runs: 'all' is not possible"),
        ({"metric": "happiness"}, "metric: 'happiness' is not possible"),
        ({"view": "x=epoch"}, "x: 'epoch' is not possible"),
    ],
)
def test_what_cannot_be_shared_is_refused_with_a_sentence(
    ada: Client, experiment: Experiment, more: dict, sentence: str
) -> None:
    body = {"runs": str(ids_of(experiment)[0]), "days": "7", **more}
    answer = ada.post("/share/", body)
    assert answer.status_code == 422
    assert sentence.replace("'", "&#x27;") in answer.content.decode()
    assert not ShareLink.objects.exists()


def test_what_one_may_not_see_one_cannot_share(ada: Client) -> None:
    assert ada.post("/share/", {"runs": "123456789", "days": "7"}).status_code == 404


def test_links_that_ended_long_ago_are_forgotten(ada: Client, experiment: Experiment) -> None:
    for _ in range(3):
        link_to(ada, ids_of(experiment))
    works, expired, revoked = ShareLink.objects.all()
    long_ago = timezone.now() - ENDED_ARE_LISTED - timedelta(hours=1)
    ShareLink.objects.filter(pk=expired.pk).update(expires_at=long_ago)
    ShareLink.objects.filter(pk=revoked.pk).update(revoked_at=long_ago)
    services.clear_ended()
    assert list(ShareLink.objects.all()) == [works]


def test_a_shared_run_shows_its_pictures(ada: Client, experiment: Experiment) -> None:
    run = experiment.runs.get(pk=ids_of(experiment)[0])
    line = Line(label="η", x=[0.0, 1.0], y=[0.1, 0.2])
    drawing = Curves(x_title="step", y_title="η", lines=[line])
    picture = Picture(name="schedule", title="Schedule", drawing=drawing)
    runs.record_points(
        run_id=run.pk,
        attempt=1,
        points=points(7, 7),
        pictured=[Pictured(run=0, step=6, picture=picture)],
    )
    stranger = Client()
    path = link_to(ada, ids_of(experiment)[:1])
    assert "data-pictures" in stranger.get(path).content.decode()
    (listed,) = stranger.get(f"{path}/pictures").json()["pictures"]
    address = listed["taken"][0]["url"]
    assert address.startswith(path)
    assert stranger.get(address).json()["title"] == "Schedule"
    file = stranger.get(address.partition("?")[0] + "file.svg")
    assert file.headers["Content-Type"] == "image/svg+xml"
    assert stranger.get(f"{path}/pictures/other/6/").status_code == 404
