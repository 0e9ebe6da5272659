"""Reading, cancelling and deleting over HTTP."""

import pytest
from django.test import Client

from engine.events import Note
from tests.webapp.factories import (
    QUADRATIC,
    claimed,
    first_run,
    launched,
    person,
    points,
    signed_in,
)
from webapp.accounts.models import User
from webapp.api.series import ReducedSeries
from webapp.experiments.models import Experiment
from webapp.runs import services
from webapp.runs.models import Run

pytestmark = pytest.mark.django_db


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
    assert [run["experiment_name"] for run in found("q=name:cup AND seed<1")] == ["cup"]
    for query in ("status=%00", "experiment=99999999999999999999999", "owner=x"):
        assert found(query) == []
    page = client.get("/api/v1/runs?size=25&page=9").json()
    assert (page["count"], page["page"], page["pages"]) == (5, 1, 1)
    refused = client.get("/api/v1/runs?q=seed<").json()
    assert refused["status"] == 422
    assert refused["errors"][0]["path"] == "q"
    assert "Column" in refused["detail"]


def test_all_runs_are_walked_through_once_while_others_are_launched(ada) -> None:
    launched(ada, seeds=list(range(20)))
    client = signed_in(ada)
    ids = sorted(Run.objects.values_list("pk", flat=True), reverse=True)
    walked, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/v1/runs?size=25{cursor}").json()
        walked += [run["id"] for run in page["runs"]]
        launched(ada, seeds=[0])
        cursor = page["next"] and f"&cursor={page['next']}"
    assert walked == ids
    for limit in (3, 200):
        listed, cursor = [], ""
        while cursor is not None:
            page = client.get(f"/api/v1/experiments?limit={limit}{cursor}").json()
            listed += [(one["id"], one["run_count"]) for one in page["experiments"]]
            cursor = page["next"] and f"&cursor={page['next']}"
        assert len(listed) == len(set(listed)) == Experiment.objects.count()


def test_events_are_filtered_and_paged(ada) -> None:
    run = claimed(first_run(ada))
    notes = [Note(run=0, step=0, level="warning", message=f"note {index}") for index in range(5)]
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 3), notes=notes)
    services.finish(run_id=run.pk, attempt=1, status="finished")
    client = signed_in(ada)
    first = client.get(f"/api/v1/runs/{run.pk}/events?kind=log&limit=3").json()
    rest = client.get(f"/api/v1/runs/{run.pk}/events?kind=log&cursor={first['next']}").json()
    told = [event["message"] for event in first["events"] + rest["events"]]
    assert told == [f"note {index}" for index in range(5)]
    assert rest["next"] is None
    ends = client.get(f"/api/v1/runs/{run.pk}/events?kind=state").json()["events"]
    assert [(event["kind"], event["level"]) for event in ends] == [("state", "info")]
    refused = client.get(f"/api/v1/runs/{run.pk}/events?level=loud")
    assert refused.json()["errors"][0]["path"] == "level.0"


def test_long_series_come_in_buckets_that_keep_what_is_extreme(ada) -> None:
    run = claimed(first_run(ada, outer={"steps": 1_000}))
    made = points(1, 1_000)
    for step, value in ((123, 1e9), (456, float("inf")), (789, -5.0)):
        made[step].values["meta_loss"] = value
    services.record_points(run_id=run.pk, attempt=1, points=made)
    client = signed_in(person("bob"))

    def reduced(query: str) -> dict:
        answer = client.get(f"/api/v1/runs/{run.pk}/series/reduced?{query}")
        assert answer.status_code == 200, answer.content
        return ReducedSeries.model_validate(answer.json()).dict()

    found = reduced("buckets=10&metric=meta_loss")
    buckets = found["series"].pop("meta_loss")
    assert (found["width"], found["sequence"], found["series"]) == (128, 1_000, {})
    assert buckets["count"] == [128] * 7 + [104]
    assert buckets["non_finite"] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert (buckets["high"][0], buckets["high_step"][0]) == (1e9, 123)
    assert (min(buckets["low"]), buckets["low_step"][6]) == (-5.0, 789)
    assert buckets["mean"][1] == pytest.approx(sum(range(128, 256)) / 128 / 10)
    assert reduced("buckets=10&from=900&to=2000")["series"]["bias"]["first_step"][0] >= 896
    assert reduced("metric=nonsense")["series"] == {}
    refused = client.get(f"/api/v1/runs/{run.pk}/series/reduced?buckets=1").json()
    assert (refused["status"], refused["errors"][0]["path"]) == (422, "buckets")


def test_runs_are_paused_and_resumed(ada) -> None:
    run = first_run(ada)
    client = signed_in(ada)
    assert client.post(f"/api/v1/runs/{run.pk}/pause").json()["status"] == "paused"
    assert client.post(f"/api/v1/runs/{run.pk}/resume").json()["status"] == "queued"
    refused = client.post(f"/api/v1/runs/{run.pk}/resume")
    assert (refused.status_code, refused.json()["detail"]) == (409, "It is not paused.")
    client.post(f"/api/v1/runs/{run.pk}/pause")
    address, kind = f"/api/v1/runs/{run.pk}/resume", {"content_type": "application/json"}
    for body, path in (
        ({"seconds": -1}, "budget.seconds"),
        ({"days": 1}, "budget.days"),
        ([], "budget"),
    ):
        refused = client.post(address, data=body, **kind)
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path)
    client.post(address, data={"seconds": 77, "bytes": None}, **kind)
    assert client.get(f"/api/v1/runs/{run.pk}").json()["spec"]["budget"]["seconds"] == 77


def test_runs_are_compared_and_their_charts_exported(ada) -> None:
    runs = list(launched(ada).runs.order_by("number"))
    for run in runs:
        services.record_points(run_id=claimed(run).pk, attempt=1, points=points(1, 20))
    client = signed_in(ada)
    ids = ",".join(str(run.pk) for run in runs)
    table = client.get(f"/api/v1/compare?runs={ids}").json()
    assert [(row["seeds"], len(row["cells"])) for row in table["rows"]] == [
        ([0, 1], len(table["columns"]))
    ] * 2
    assert table["columns"][0]["name"] == "meta_loss"
    assert table["rows"][0]["cells"][0] == {"value": 1.9, "error": 0.0, "n": 2, "best": False}
    assert "estimator.kind" in [item["path"] for item in table["differences"]]
    figure = client.get(f"/api/v1/export/figure.csv?metric=meta_loss&runs={ids}")
    assert figure.content.startswith(b"#")
    for query, path in (("runs=", "runs"), ("runs=x", "runs"), ("", "runs")):
        refused = client.get(f"/api/v1/compare?{query}")
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path)
    refused = client.get(f"/api/v1/export/figure.csv?metric=nonsense&runs={ids}")
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "metric")
    assert client.get("/api/v1/compare?runs=123456").status_code == 404


def test_a_spec_is_checked_and_not_launched(ada) -> None:
    client = signed_in(ada)

    def checked(**changes) -> dict:
        body = {**QUADRATIC, **changes}
        return client.post(
            "/api/v1/experiments/validate", data=body, content_type="application/json"
        ).json()

    told = checked()
    assert (told["runs"], told["meta_parameter_counts"]) == (4, [1])
    assert told["spec"]["objective"] == "final"
    assert checked(inner={"steps": -1})["errors"][0]["path"] == "inner.steps"
    assert not Run.objects.exists()


def test_a_run_and_its_series(ada) -> None:
    run = claimed(first_run(ada))
    values = points(1, 12)
    values[3].values["meta_loss"] = float("nan")
    services.record_points(run_id=run.pk, attempt=1, points=values)
    client = signed_in(person("bob"))

    run.tags.create(name="paper")
    told = client.get(f"/api/v1/runs/{run.pk}").json()
    assert told["tags"] == ["paper"]
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


def test_the_table_needs_the_same_queries_whatever_its_length(
    ada, django_assert_num_queries
) -> None:
    client = signed_in(ada)
    launched(ada, seeds=[0])
    client.get("/api/v1/runs")
    for seeds in ([1], list(range(2, 20))):
        launched(ada, seeds=seeds)
        # Session and user; then what is found, the page's rows and their tags.
        with django_assert_num_queries(5):
            client.get("/api/v1/runs?size=100")
