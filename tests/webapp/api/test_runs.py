"""Reading, cancelling and deleting over HTTP."""

import pytest
from django.test import Client

from tests.webapp.factories import claimed, first_run, launched, person, points
from webapp.accounts.models import User
from webapp.runs import services
from webapp.runs.models import Run

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada() -> User:
    return person("ada")


def test_the_table_is_filtered_sorted_and_paged(ada) -> None:
    launched(ada)
    launched(person("bob"), name="cup", estimators=[{"kind": "evolution"}], seeds=[0])
    client = signed_in(ada)

    def found(query: str) -> list[dict]:
        answer = client.get(f"/api/v1/runs?{query}")
        assert answer.status_code == 200
        return answer.json()["runs"]

    assert len(found("")) == 5
    assert [run["experiment_name"] for run in found("text=CUP")] == ["cup"]
    assert len(found("text=bowl truncated")) == 2
    assert len(found("estimator=unrolled&estimator=truncated")) == 4
    assert len(found("owner=bob")) == 1
    assert found("status=finished") == []
    assert [run["seed"] for run in found("sort=seed")] == [0, 0, 0, 1, 1]
    for query in ("text=%00", "status=%00", "experiment=99999999999999999999999", "owner=x"):
        assert found(query) == []
    page = client.get("/api/v1/runs?size=25&page=9").json()
    assert (page["count"], page["page"], page["pages"]) == (5, 1, 1)


def test_a_run_and_its_series(ada) -> None:
    run = claimed(first_run(ada))
    values = points(1, 12)
    values[3].values["meta_loss"] = float("nan")
    services.record_points(run_id=run.pk, attempt=1, points=values)
    client = signed_in(person("bob"))

    told = client.get(f"/api/v1/runs/{run.pk}").json()
    assert (told["status"], told["sequence"], told["owner"]) == ("running", 12, "ada")
    assert told["spec"]["outer"]["steps"] == 20

    back_fill = client.get(f"/api/v1/runs/{run.pk}/series?after=2").json()
    assert (back_fill["type"], back_fill["first"], back_fill["last"]) == ("points", 3, 12)
    assert back_fill["series"]["meta_loss"][0] == list(range(2, 12))
    assert back_fill["series"]["meta_loss"][1][:2] == [0.2, "nan"]
    assert back_fill["series"]["bias"] == [[5, 10], [5.0, 10.0]]
    nothing = client.get(f"/api/v1/runs/{run.pk}/series?after=12").json()
    assert (nothing["first"], nothing["last"], nothing["series"]) == (13, 12, {})


def test_a_back_fill_after_a_rewind_begins_where_the_tail_was_cut(ada) -> None:
    run = claimed(first_run(ada))
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 12))
    services.release(run_id=run.pk, attempt=1)
    claimed(run, resume_from=4)
    services.record_points(run_id=run.pk, attempt=2, points=points(5, 15))
    answer = signed_in(ada).get(f"/api/v1/runs/{run.pk}/series?after=12&attempt=1").json()
    assert (answer["attempt"], answer["first"], answer["last"]) == (2, 5, 15)
    answer = signed_in(ada).get(f"/api/v1/runs/{run.pk}/series?after=12&attempt=2").json()
    assert (answer["first"], answer["last"]) == (13, 15)


def test_only_the_owner_and_admins_cancel_and_delete(ada) -> None:
    run = first_run(ada)
    bob = signed_in(person("bob"))
    refused = bob.post(f"/api/v1/runs/{run.pk}/cancel")
    assert (refused.status_code, "Only ada" in refused.json()["detail"]) == (403, True)
    assert bob.delete(f"/api/v1/runs/{run.pk}").status_code == 403
    renaming = {"data": {"name": "mine"}, "content_type": "application/json"}
    assert bob.patch(f"/api/v1/experiments/{run.experiment_id}", **renaming).status_code == 403

    assert signed_in(ada).post(f"/api/v1/runs/{run.pk}/cancel").json()["status"] == "cancelled"
    admin = signed_in(person("root", role=User.Role.ADMIN))
    answer = admin.patch(f"/api/v1/experiments/{run.experiment_id}", **renaming)
    assert answer.json()["name"] == "mine"
    assert admin.delete(f"/api/v1/runs/{run.pk}").status_code == 204
    assert not Run.objects.filter(pk=run.pk).exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "runs/{}"),
        ("get", "runs/{}/series"),
        ("post", "runs/{}/cancel"),
        ("delete", "runs/{}"),
        ("get", "experiments/{}"),
    ],
)
@pytest.mark.parametrize("missing", ["12345", "0", "-1", "9" * 30])
def test_what_is_not_there_is_404(ada, method: str, path: str, missing: str) -> None:
    answer = getattr(signed_in(ada), method)("/api/v1/" + path.format(missing))
    assert answer.status_code == 404
    assert "There is no" in answer.json()["detail"]


def test_refused_parameters_have_the_shape_of_a_refused_spec(ada) -> None:
    run = first_run(ada)
    answer = signed_in(ada).get(f"/api/v1/runs/{run.pk}/series?after=-1")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "after"


def test_strangers_read_nothing(ada) -> None:
    run = first_run(ada)
    for path in ("runs", f"runs/{run.pk}", f"runs/{run.pk}/series", "presets", "schema"):
        assert Client().get(f"/api/v1/{path}").status_code == 401


def test_the_api_describes_itself_without_loading_anything_from_elsewhere(ada) -> None:
    client = signed_in(ada)
    described = client.get("/api/v1/openapi.json").json()
    assert "/api/v1/runs/{run_id}/series" in described["paths"]
    assert client.get("/api/v1/docs").status_code == 404
    schema = client.get("/api/v1/schema").json()
    assert "estimators" in schema["properties"]


def test_the_table_needs_three_queries_whatever_its_length(ada, django_assert_num_queries) -> None:
    client = signed_in(ada)
    launched(ada, seeds=[0])
    client.get("/api/v1/runs")
    for seeds in ([1], list(range(2, 20))):
        launched(ada, seeds=seeds)
        # Session and user, then the count and the page.
        with django_assert_num_queries(4):
            client.get("/api/v1/runs?size=100")
