"""`GET /healthz` against the real servers, with and without them."""

import time

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from webapp import health
from webapp.supervisor.home import free_port
from webapp.workers.models import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def _worker():
    for queue in ("cpu", "forecast"):
        name = f"{queue}@here"
        Worker.objects.create(name=name, queues=queue, device="CPU", heartbeat_at=timezone.now())


@pytest.mark.usefixtures("_worker")
def test_a_whole_lab_is_ok_and_anybody_may_ask(client: Client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ok"
    assert body["services"] == {
        "postgres": "up",
        "broker": "up",
        "worker": "up",
        "forecast": "up",
        "migrations": "applied",
    }
    assert body["workers"] == 2
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_lab_without_a_worker_says_so(client: Client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["services"]["worker"] == "missing"


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(("queue", "service"), [("cpu", "worker"), ("forecast", "forecast")])
def test_each_kind_of_worker_is_missed(client: Client, queue: str, service: str):
    Worker.objects.filter(queues=queue).delete()
    body = client.get("/healthz").json()
    assert (body["status"], body["services"][service]) == ("degraded", "missing")


@pytest.mark.parametrize(
    ("name", "service"), [("DATABASE_URL", "postgres"), ("REDIS_URL", "broker")]
)
def test_a_server_that_is_down_is_named_at_once(client: Client, settings, name: str, service: str):
    scheme = {"DATABASE_URL": "postgres", "REDIS_URL": "redis"}[name]
    setattr(settings, name, f"{scheme}://127.0.0.1:{free_port()}/0")
    begin = time.monotonic()
    answer = client.get("/healthz")
    assert time.monotonic() - begin < 5
    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert answer.json()["services"][service] == "down"


def test_migrations_that_are_missing_are_seen(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health, "_fully_migrated", False)
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("accounts")
    MigrationRecorder(connection).record_unapplied(*newest)
    assert health.migrations_state() == "pending"
