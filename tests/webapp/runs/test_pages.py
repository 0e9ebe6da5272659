"""The table of runs, the page of a run and the page of an experiment, and who may do what there."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from engine.events import Point
from engine.spec import read_text
from tests.webapp.factories import claimed, first_run, launched, person, points
from webapp.accounts.models import User
from webapp.runs import services
from webapp.runs.models import Run, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return person("ada")


@pytest.fixture
def client(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def signed_in(name: str, **options: str) -> Client:
    client = Client()
    client.force_login(person(name, **options))
    return client


def finished(run: Run, *, meta_loss: float) -> Run:
    taken = claimed(run)
    point = Point(run=0, step=0, values={"meta_loss": meta_loss, "seconds": 0.5})
    services.record_points(run_id=run.pk, attempt=taken.attempt, points=[point])
    services.finish(run_id=run.pk, attempt=taken.attempt, status=Status.FINISHED)
    run.refresh_from_db()
    return run


def listed(client: Client, query: str = "", **headers: str) -> list[int]:
    page = client.get(f"/runs/{query}", headers=headers).content.decode()
    return [int(number) for number in re.findall(r'<tr id="run-(\d+)"', page)]


# -- the table of runs --


def test_an_empty_lab_says_what_to_do(client: Client) -> None:
    page = client.get("/runs/").content.decode()
    assert "No run yet" in page
    assert 'href="/experiments/new"' in page


def test_the_table_filters_by_text_status_estimator_and_owner(client: Client, owner: User) -> None:
    mine = list(launched(owner).runs.order_by("number"))
    other = first_run(person("grace"), name="valley", estimators=[{"kind": "unrolled"}], seeds=[7])
    finished(mine[0], meta_loss=1.0)
    assert set(listed(client)) == {run.pk for run in [*mine, other]}
    assert listed(client, "?q=valley") == [other.pk]
    assert listed(client, "?owner=grace") == [other.pk]
    assert listed(client, "?status=finished") == [mine[0].pk]
    truncated = {run.pk for run in mine if run.estimator == "truncated"}
    assert set(listed(client, "?estimator=truncated")) == truncated
    assert listed(client, "?estimator=truncated&status=finished") == []
    assert "No run matches" in client.get("/runs/?q=nothing-like-it").content.decode()


def test_the_table_sorts_and_its_headers_turn_the_order_round(client: Client, owner: User) -> None:
    low, high, *waiting = launched(owner).runs.order_by("number")
    finished(low, meta_loss=0.25)
    finished(high, meta_loss=4.0)
    unmeasured = {run.pk for run in waiting}
    rising = listed(client, "?sort=meta_loss")
    assert rising[:2] == [low.pk, high.pk]
    assert set(rising[2:]) == unmeasured
    assert listed(client, "?sort=-meta_loss")[:2] == [high.pk, low.pk]
    page = client.get("/runs/?sort=meta_loss&q=bowl").content.decode()
    assert 'aria-sort="ascending"' in page
    assert 'href="?q=bowl&amp;sort=-meta_loss"' in page


def test_the_table_is_paged_by_the_server(client: Client, owner: User) -> None:
    launched(owner, seeds=list(range(20)))
    first = listed(client)
    second = listed(client, "?page=2")
    assert len(first) == 25
    assert len(second) == 15
    assert not set(first) & set(second)
    page = client.get("/runs/?page=2&estimator=").content.decode()
    assert "26–40 of 40" in page
    assert 'rel="prev"' in page
    assert 'rel="next"' not in page


def test_htmx_gets_the_table_alone(client: Client, owner: User) -> None:
    run = first_run(owner)
    answer = client.get("/runs/?q=bowl", headers={"HX-Request": "true"}).content.decode()
    assert answer.lstrip().startswith('<div id="runs-table"')
    assert f'id="run-{run.pk}"' in answer
    assert "<html" not in answer


def test_the_table_needs_the_same_queries_for_one_run_and_for_many(
    client: Client, owner: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    launched(owner, seeds=list(range(12)))
    with django_assert_max_num_queries(6):
        assert len(listed(client)) == 24


def test_rows_are_read_again_where_they_stand(client: Client, owner: User) -> None:
    run = finished(first_run(owner), meta_loss=0.125)
    rows = client.get(f"/runs/rows/?runs={run.pk}").content.decode()
    assert f'id="run-{run.pk}"' in rows
    assert "0.125" in rows
    assert "data-ended" in rows
    assert client.get("/runs/rows/?runs=1;2").status_code == 400


# -- the page of a run --


def test_the_page_of_a_run_tells_where_it_stands(client: Client, owner: User) -> None:
    run = first_run(owner)
    taken = claimed(run, worker="worker@bench")
    services.record_points(run_id=run.pk, attempt=taken.attempt, points=points(1, 7))
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert 'data-status="running"' in page
    assert "7 / 20" in page
    assert "worker@bench" in page
    assert f'{{"id": {run.pk}, "sequence": 7, "attempt": 1, "status": "running"}}' in page
    assert f'href="/experiments/new?clone={run.pk}"' in page
    assert "kind: quadratic" in page
    assert f'action="/runs/{run.pk}/cancel/"' in page


def test_the_page_of_a_run_shows_what_changed_from_a_parent(client: Client, owner: User) -> None:
    parent = launched(owner)
    child = launched(owner, inner={"steps": 12})
    child.parent = parent
    child.save()
    page = client.get(f"/runs/{child.runs.first().pk}/").content.decode()
    assert f"Difference from experiment {parent.pk}" in page
    row = re.search(r"<code>inner.steps</code></th>(.*?)</tr>", page)
    assert row is not None
    assert re.findall(r">(\d+)<", row.group(1)) == ["10", "12"]


def test_an_error_is_shown_and_escaped(client: Client, owner: User) -> None:
    run = first_run(owner)
    taken = claimed(run)
    services.finish(
        run_id=run.pk, attempt=taken.attempt, status=Status.FAILED, error="<b>diverged</b>"
    )
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert "&lt;b&gt;diverged&lt;/b&gt;" in page
    assert "<b>diverged</b>" not in page


def test_the_owner_cancels_and_deletes(client: Client, owner: User) -> None:
    run = first_run(owner)
    answer = client.post(f"/runs/{run.pk}/cancel/", follow=True)
    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert "The run is cancelled." in answer.content.decode()
    assert client.post(f"/runs/{run.pk}/delete/").status_code == 302
    assert not Run.objects.filter(pk=run.pk).exists()
    assert client.get(f"/runs/{run.pk}/").status_code == 404


def test_another_member_sees_a_run_but_may_not_change_it(owner: User) -> None:
    run = first_run(owner)
    grace = signed_in("grace")
    page = grace.get(f"/runs/{run.pk}/").content.decode()
    assert "/cancel/" not in page
    assert "/delete/" not in page
    assert grace.post(f"/runs/{run.pk}/cancel/").status_code == 403
    assert grace.post(f"/runs/{run.pk}/delete/").status_code == 403
    run.refresh_from_db()
    assert run.status == Status.QUEUED


def test_an_admin_of_the_lab_may_cancel_any_run(owner: User) -> None:
    run = first_run(owner)
    assert (
        signed_in("chief", role=User.Role.ADMIN).post(f"/runs/{run.pk}/cancel/").status_code == 302
    )
    run.refresh_from_db()
    assert run.status == Status.CANCELLED


def test_a_link_alone_changes_nothing(client: Client, owner: User) -> None:
    run = first_run(owner)
    assert client.get(f"/runs/{run.pk}/cancel/").status_code == 405
    assert client.get(f"/runs/{run.pk}/delete/").status_code == 405


# -- the page of an experiment --


def test_the_page_of_an_experiment_has_a_bar_for_each_run(client: Client, owner: User) -> None:
    experiment = launched(owner)
    page = client.get(f"/experiments/{experiment.pk}/").content.decode()
    for run in experiment.runs.all():
        assert f'href="/runs/{run.pk}/" data-run="{run.pk}" data-status="queued"' in page
    assert page.count("data-legend=") == 2
    assert "0 / 4 runs done" in page
    assert "estimator.kind" in page


def test_the_page_of_an_experiment_needs_the_same_queries_for_few_runs_and_for_many(
    client: Client, owner: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    experiment = launched(owner, seeds=list(range(15)))
    with django_assert_max_num_queries(6):
        client.get(f"/experiments/{experiment.pk}/")


def test_the_owner_renames_and_cancels_an_experiment(client: Client, owner: User) -> None:
    experiment = launched(owner)
    client.post(f"/experiments/{experiment.pk}/rename/", {"name": "a deeper bowl"})
    experiment.refresh_from_db()
    assert experiment.name == "a deeper bowl"
    answer = client.post(f"/experiments/{experiment.pk}/rename/", {"name": " "}, follow=True)
    assert "Not renamed" in answer.content.decode()
    client.post(f"/experiments/{experiment.pk}/cancel/")
    assert set(experiment.runs.values_list("status", flat=True)) == {Status.CANCELLED}


def test_another_member_may_not_rename_or_cancel_an_experiment(owner: User) -> None:
    experiment = launched(owner)
    grace = signed_in("grace")
    assert grace.post(f"/experiments/{experiment.pk}/rename/", {"name": "mine"}).status_code == 403
    assert grace.post(f"/experiments/{experiment.pk}/cancel/").status_code == 403
    experiment.refresh_from_db()
    assert experiment.name == "bowl"


def test_the_spec_comes_as_a_file_that_the_command_line_reads(client: Client, owner: User) -> None:
    experiment = launched(owner)
    answer = client.get(f"/experiments/{experiment.pk}/spec.yaml")
    assert 'filename="bowl.yaml"' in answer.headers["Content-Disposition"]
    assert read_text(answer.content.decode()).model_dump(mode="json") == experiment.spec


def test_visitors_are_sent_to_the_sign_in_page(owner: User) -> None:
    run = first_run(owner)
    for address in ("/runs/", f"/runs/{run.pk}/", f"/experiments/{run.experiment_id}/", "/compare"):
        assert Client().get(address).headers["Location"].startswith("/sign-in/")
