"""Quotas and priorities as people meet them: on pages, in the API, in the audit log."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from engine.spec import SpecError
from tests.webapp.factories import QUADRATIC, first_run, launched, person, signed_in
from tests.webapp.worker_process import wait_until
from webapp.accounts.models import User
from webapp.audit.models import Entry
from webapp.runs.models import Priority, Run, Status
from webapp.scheduling import quotas
from webapp.scheduling.models import Quota
from webapp.scheduling.priorities import set_priority

pytestmark = pytest.mark.django_db


def test_a_launch_past_the_queued_runs_is_refused_with_what_is_used_and_allowed() -> None:
    ada = person("ada")
    Quota.objects.create(person=None, queued_runs=6)
    launched(ada)
    with pytest.raises(SpecError) as refused:
        launched(ada)
    [error] = refused.value.errors
    assert (error.path, error.given) == ("quota.queued_runs", 4)
    assert "4 wait already, and this launch has 4; allowed: 6" in str(error)
    assert Run.objects.count() == 4
    answer = signed_in(ada).post(
        "/api/v1/experiments", json.dumps(QUADRATIC), content_type="application/json"
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "quota.queued_runs"
    Run.objects.update(status=Status.PAUSED)
    launched(ada)


def waits_for_a_lock() -> bool:
    """Whether some connection does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_two_launches_at_one_moment_do_not_pass_the_quota_together() -> None:
    ada = person("ada")
    Quota.objects.create(person=ada, queued_runs=6)

    def launch_elsewhere() -> str:
        try:
            launched(ada, inner={"steps": 11})
        except SpecError as refusal:
            return refusal.errors[0].path
        finally:
            connection.close()
        return "launched"

    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            launched(ada)
            second = pool.submit(launch_elsewhere)
            wait_until(lambda: second.done() or waits_for_a_lock(), seconds=20)
        assert second.result() == "quota.queued_runs"
    assert Run.objects.count() == 4


def test_an_admin_sets_them_and_the_audit_log_keeps_it() -> None:
    ada, root = person("ada"), person("root", role=User.Role.ADMIN)
    client = signed_in(root)
    bounds = {"runs_at_once": "2", "queued_runs": "", "cpu_seconds": "0", "gpu_seconds": ""}
    client.post("/people/quotas/0", {**bounds, "queued_runs": "50"})
    client.post(f"/people/quotas/{ada.pk}", bounds)
    assert quotas.allowed_to(ada) == {
        "runs_at_once": 2, "queued_runs": 50, "cpu_seconds": 0, "gpu_seconds": None,
    }  # fmt: skip
    kept = Entry.objects.filter(action="set a quota")
    assert sorted(kept.values_list("target", flat=True)) == ["ada", "the lab"]
    page = client.get("/people/quotas").content.decode()
    assert 'aria-label="Quota of ada"' in page
    wrong = client.post("/people/quotas/0", {**bounds, "cpu_seconds": "-1"}, follow=True)
    assert "Nothing is changed. CPU seconds a day is &#x27;-1&#x27;" in wrong.content.decode()
    assert quotas.allowed_to(root)["cpu_seconds"] == 0
    with pytest.raises(PermissionDenied):
        quotas.set_quota(admin=ada, person=ada, bounds={})
    # Who has used the day's compute is told so, and launches all the same.
    [warning] = quotas.warnings_of(ada)
    assert warning.startswith("You have used 0 of 0 CPU seconds a day: until midnight UTC")


def test_people_lower_their_priority_and_admins_raise_any() -> None:
    ada, root = person("ada"), person("root", role=User.Role.ADMIN)
    run = first_run(ada)
    client = signed_in(ada)
    client.post(f"/runs/{run.pk}/priority/", {"priority": "low"})
    run.refresh_from_db()
    assert run.priority == Priority.LOW
    assert "ada made its priority low." in run.events.last().message
    with pytest.raises(PermissionDenied, match="Only an admin"):
        set_priority(user=ada, run=run, priority=Priority.HIGH)
    with pytest.raises(PermissionDenied):
        set_priority(user=person("bob"), run=run, priority=Priority.LOW)
    assert not Entry.objects.filter(action="change a priority").exists()
    where = f"/api/v1/runs/{run.pk}/priority"
    raised = signed_in(root).post(where, {"priority": "high"}, content_type="application/json")
    assert raised.json()["priority"] == "high"
    assert Entry.objects.get(action="change a priority").target == f"run {run.pk}"
    wrong = client.post(where, {"priority": "urgent"}, content_type="application/json")
    assert wrong.json()["errors"][0]["message"] == "allowed: low, normal, high"
    assert "High priority" not in client.get(f"/runs/{run.pk}/").content.decode()


def test_a_launch_says_its_priority_and_whether_it_is_spread() -> None:
    ada = person("ada")
    client = signed_in(ada)
    where = "/api/v1/experiments?priority={}&spread={}"
    body = json.dumps(QUADRATIC)
    for priority, status in (("low", 201), ("high", 403), ("urgent", 422)):
        answer = client.post(where.format(priority, "off"), body, content_type="application/json")
        assert answer.status_code == status
    assert set(Run.objects.values_list("priority", "spread")) == {(Priority.LOW, False)}
