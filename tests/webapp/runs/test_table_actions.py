"""What is done from the table of runs: tags, the archive, cancelling, views and columns."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.webapp.factories import first_run, launched, person, signed_in
from webapp.accounts.models import User
from webapp.runs.models import Run, Status
from webapp.runs.table_models import SavedView, TableColumns, Tag

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ada() -> User:
    return person("ada")


@pytest.fixture
def bob() -> User:
    return person("bob")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in(ada)


@pytest.fixture
def mine(ada: User) -> list[Run]:
    return list(launched(ada).runs.order_by("number"))


def act(client: Client, action: str, runs: list[Run], **more: str) -> str:
    ids = ",".join(str(run.pk) for run in runs)
    answer = client.post("/runs/act/", {"action": action, "runs": ids, **more}, headers=HTMX)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def shown(client: Client, query: str = "") -> list[int]:
    html = client.get(f"/runs/?{query}").content.decode()
    return [int(pk) for pk in re.findall(r'<tr id="run-(\d+)"', html)]


def undo(client: Client, html: str) -> str:
    """Send the form of the toast that takes the action back."""
    form = html[html.index("toasts") :]
    fields = dict(re.findall(r'name="(action|runs|tag|address)" value="([^"]*)"', form))
    return client.post("/runs/act/", fields, headers=HTMX).content.decode()


def test_runs_are_tagged_and_it_can_be_undone(client: Client, mine: list[Run]) -> None:
    html = act(client, "tag", mine[:2], tag=" for  paper ")
    assert "2 runs are tagged “for paper”." in html
    assert html.count('class="tag"') == 2
    # Whatever the case, it is the same tag; who has it already is not counted.
    again = act(client, "tag", mine[:3], tag="For Paper")
    assert "1 run is tagged “for paper”." in again
    assert Tag.objects.count() == 1
    undo(client, again)
    assert shown(client, "tag=for+paper") == [mine[1].pk, mine[0].pk]
    undo(client, html)
    assert not Tag.objects.exists()


def test_an_archived_run_is_left_out_until_it_is_asked_for(client: Client, mine: list[Run]) -> None:
    html = act(client, "archive", mine[:1], address="estimator=unrolled")
    assert "1 run is archived." in html
    assert f'id="run-{mine[0].pk}"' not in html
    assert f'id="run-{mine[1].pk}"' in html
    assert f'id="run-{mine[2].pk}"' not in html  # of another estimator
    assert mine[0].pk not in shown(client)
    assert shown(client, "q=archived:yes") == [mine[0].pk]
    assert len(shown(client, "q=archived:any")) == 4
    undo(client, html)
    assert len(shown(client)) == 4


def test_what_goes_on_is_cancelled_and_there_is_no_way_back(
    client: Client, mine: list[Run]
) -> None:
    html = act(client, "cancel", mine)
    assert "4 runs are cancelled" in html
    assert "Undo" not in html
    assert set(Run.objects.values_list("status", flat=True)) == {Status.CANCELLED}
    assert "Nothing to change." in act(client, "cancel", mine)


@pytest.mark.parametrize("action", ["tag", "archive", "cancel"])
def test_the_runs_of_others_stay_as_they_are(
    client: Client, mine: list[Run], bob: User, action: str
) -> None:
    theirs = launched(bob).runs.first()
    assert theirs is not None
    html = act(client, action, [mine[0], theirs], tag="x")
    assert "1 of others: only they or an admin may change them." in html
    theirs.refresh_from_db()
    assert (theirs.status, theirs.archived_at, theirs.tags.count()) == (Status.QUEUED, None, 0)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"action": "tag", "runs": "1", "tag": "<b>"}, "tag: &#x27;&lt;b&gt;&#x27;"),
        ({"action": "tag", "runs": "1", "tag": "x" * 41}, "at most 40 characters"),
        ({"action": "explode", "runs": "1"}, "allowed: tag, untag, archive, unarchive, cancel"),
        ({"action": "archive", "runs": ""}, "pick 1 to 1000 runs"),
        ({"action": "archive", "runs": "1,x"}, "pick 1 to 1000 runs"),
    ],
)
def test_what_is_not_possible_is_said(client: Client, sent: dict[str, str], says: str) -> None:
    answer = client.post("/runs/act/", sent, headers=HTMX)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert client.post("/runs/act/", sent).status_code == 302


def test_a_view_keeps_the_address_and_is_shared_or_not(
    client: Client, mine: list[Run], bob: User
) -> None:
    address = "q=seed:0&sort=-cosine&page=3&evil=1&group=configuration"
    sent = {"name": "Small  bias", "address": address, "shared": "on"}
    answer = client.post("/runs/views/", sent)
    assert answer.headers["Location"] == "/runs/?q=seed:0&sort=-cosine&group=configuration"
    theirs = signed_in(bob)
    assert "Small bias" in theirs.get("/runs/").content.decode()
    view = SavedView.objects.get()
    assert theirs.post(f"/runs/views/{view.pk}/delete/").status_code == 404
    client.post("/runs/views/", {"name": "small bias", "address": "q=seed:1"})
    assert SavedView.objects.get().address == "q=seed:1"
    assert "small bias" not in theirs.get("/runs/").content.decode()
    assert client.post(f"/runs/views/{view.pk}/delete/").status_code == 302
    assert not SavedView.objects.exists()
    assert client.post("/runs/views/", {"name": " ", "address": ""}).status_code == 302
    assert not SavedView.objects.exists()


def test_columns_are_kept_for_the_person_and_in_the_address(
    client: Client, mine: list[Run], bob: User
) -> None:
    sent = {"address": "q=seed:0", "columns": ["inner.steps", "status", "no-such", "meta_loss"]}
    place = client.post("/runs/columns/", sent).headers["Location"]
    # What was shown keeps its order; what is new comes behind it.
    assert place == "/runs/?q=seed:0&columns=run,status,meta_loss,inner.steps"
    html = client.get("/runs/").content.decode()
    assert headers(html) == ["Run", "Status", "Meta-loss", "inner.steps"]
    assert '<td class="numeric">10</td>' in html
    assert "Owner" in headers(signed_in(bob).get("/runs/").content.decode())
    assert headers(client.get("/runs/?columns=run,theta.learning_rate").content.decode()) == [
        "Run",
        "θ: learning_rate",
    ]
    client.post("/runs/columns/", {"default": "1"})
    assert "Owner" in headers(client.get("/runs/").content.decode())
    assert TableColumns.objects.count() == 1


def headers(html: str) -> list[str]:
    return re.findall(r'aria-sort="\w+"><a [^>]*>([^<]*)<', html)


def test_seeds_are_folded_to_mean_and_error(client: Client, mine: list[Run]) -> None:
    for run, loss in zip(mine, (1.0, 3.0, 7.0, float("nan")), strict=True):
        Run.objects.filter(pk=run.pk).update(summary={"meta_loss": str(loss)})
    act(client, "tag", mine[:1], tag="x")
    html = client.get("/runs/?group=configuration&sort=meta_loss").content.decode()
    assert html.count("<tr id=") == 2
    assert "2.00 ± 1.00" in html
    assert "N = 2" in html
    assert "2 queued" in html
    assert f'value="{mine[0].pk},{mine[1].pk}"' in html
    assert "1–2 of 2" in html
    rows = client.get(f"/runs/rows/?group=configuration&runs={mine[0].pk},{mine[1].pk}")
    assert "2.00 ± 1.00" in rows.content.decode()
    # A group's name leads to its runs.
    link = re.search(r'href="(/runs/\?q=experiment[^"]*)"', html)
    assert link is not None
    assert set(shown(client, link[1].partition("?")[2])) == {mine[0].pk, mine[1].pk}


@pytest.mark.parametrize("sort", ["inner.steps", "-inner_task.kind", "tags", "-owner", "started"])
@pytest.mark.parametrize("group", ["", "configuration"])
def test_any_column_sorts_runs_and_groups(
    client: Client, ada: User, mine: list[Run], sort: str, group: str
) -> None:
    longer = first_run(ada, inner={"steps": 40}, estimators=[{"kind": "unrolled"}])
    html = client.get(f"/runs/?sort={sort}&group={group}&columns=run").content.decode()
    assert html.count("<tr id=") == (3 if group else 6)
    if sort == "inner.steps":
        assert html.rindex(f'value="{longer.pk}') > html.rindex(f'value="{mine[2].pk}')
    assert html.count('name="group"') == 2


def test_best_takes_the_place_of_the_last_meta_loss(client: Client, mine: list[Run]) -> None:
    for run, best in zip(mine[:2], (0.25, 0.125), strict=True):
        Run.objects.filter(pk=run.pk).update(summary={"meta_loss": 9.0, "best_meta_loss": best})
    html = client.get("/runs/?of=best&sort=meta_loss").content.decode()
    assert "Meta-loss, best" in headers(html)
    assert shown(client, "of=best&sort=meta_loss")[:2] == [mine[1].pk, mine[0].pk]
    assert '<td class="numeric">0.125</td>' in html


def test_a_query_that_is_not_understood_leaves_the_table_alone(
    client: Client, mine: list[Run]
) -> None:
    answer = client.get("/runs/?q=seed:x", headers=HTMX)
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#query-problem"
    assert "<strong>Column 6</strong>" in answer.content.decode()
    page = client.get("/runs/?q=seed:x&status=queued")
    assert page.status_code == 422
    assert 'name="q" value="seed:x"' in page.content.decode()
    assert "allowed: a number." in page.content.decode()


def test_the_address_says_no_more_than_it_must(client: Client, mine: list[Run]) -> None:
    sent = "q=seed:0&status=&estimator=&owner=&group=&of=last&sort=&columns=&csrf=1"
    answer = client.get(f"/runs/?{sent}", headers=HTMX)
    assert answer.headers["HX-Push-Url"] == "/runs/?q=seed:0"
    back = {**HTMX, "HX-History-Restore-Request": "true"}
    assert "<!doctype html>" in client.get("/runs/?q=seed:0", headers=back).content.decode()


def test_completions_are_given_as_json(client: Client, mine: list[Run]) -> None:
    found = client.get("/runs/complete/?q=status:qu&at=9").json()
    assert found["start"] == 7
    assert found["items"][0] == {"text": "queued ", "label": "queued", "help": ""}
    for query in ("q=a%00b&at=3", "q=&at=x", "at=99999999", "q=x&at=-1"):
        assert client.get(f"/runs/complete/?{query}").status_code == 200, query


def test_a_filter_by_task_and_tag_narrows(client: Client, mine: list[Run]) -> None:
    act(client, "tag", mine[:1], tag="x")
    assert len(shown(client, "task=quadratic")) == 4
    assert shown(client, "task=image_mlp") == []
    assert shown(client, "tag=x") == [mine[0].pk]
    assert shown(client, "tag=y") == []


def test_strangers_do_nothing(mine: list[Run]) -> None:
    for path in ("act/", "columns/", "views/", "views/1/delete/"):
        assert Client().post(f"/runs/{path}").headers["Location"].startswith("/sign-in/")
    assert Client().get("/runs/complete/").headers["Location"].startswith("/sign-in/")
