"""`GET /metrics`: who may read it, and that its numbers are true."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from tests.webapp.factories import first_run, person
from webapp.accounts.models import ApiToken, Scope, User
from webapp.runs.models import Run, Status
from webapp.workers.models import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return person("ada", role=User.Role.ADMIN)


def token_of(user: User, *scopes: Scope) -> str:
    return ApiToken.objects.issue(
        user=user, name="prometheus", scopes=list(scopes), lifetime=timedelta(days=1)
    )


def scraped(client: Client, token: str) -> dict[tuple, float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_runs_queue_and_workers_are_counted(client: Client, admin: User):
    run = first_run(admin, seeds=[0], estimators=[{"kind": "unrolled"}])
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(seconds=90))
    Worker.objects.create(
        name="cpu@here", queues="cpu", device="CPU", slots=3, heartbeat_at=timezone.now()
    )
    Worker.objects.create(
        name="cpu@gone",
        queues="cpu",
        device="CPU",
        heartbeat_at=timezone.now() - timedelta(hours=1),
    )
    found = scraped(client, token_of(admin, Scope.ADMIN))
    assert found["lab_runs", "cpu", "queued"] == 1
    assert 90 <= found["lab_longest_wait_seconds", "cpu"] < 150
    assert found["lab_workers", "cpu"] == 1
    assert found["lab_worker_slots", "cpu"] == 3
    Run.objects.filter(pk=run.pk).update(status=Status.CANCELLED, finished_at=timezone.now())
    found = scraped(client, token_of(admin, Scope.ADMIN))
    assert found["lab_runs", "cancelled", "cpu"] == 1
    assert ("lab_longest_wait_seconds", "cpu") not in found


def test_requests_are_counted_by_route_and_not_by_address(client: Client, admin: User):
    token = token_of(admin, Scope.ADMIN)
    key = ("lab_http_request_seconds_count", "403", "GET", "sign-in/<str:token>/")
    before = scraped(client, token).get(key, 0)
    for secret in ("one", "two"):
        client.get(f"/sign-in/{secret}/")
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert scraped(client, token)[key] == before + 2
    assert "sign-in/one" not in answer.content.decode()


def test_an_unknown_method_or_address_makes_no_label_of_its_own(client: Client, admin: User):
    client.generic("BREW", "/somewhere/else/")
    found = scraped(client, token_of(admin, Scope.ADMIN))
    labels = {label for name in found for label in name[1:]}
    assert "other" in labels
    assert not {"BREW", "/somewhere/else/"} & labels


def test_only_an_admin_reads_it(client: Client, admin: User):
    member = person("bob")
    assert client.get("/metrics").status_code == 401
    for refused in (
        token_of(admin, Scope.READ),
        token_of(member, Scope.ADMIN),
        "lab_unknown",
        "",
    ):
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {refused}"})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    client.force_login(member)
    assert client.get("/metrics").status_code == 401
    client.force_login(admin)
    assert client.get("/metrics").status_code == 200
