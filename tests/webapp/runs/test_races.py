"""What one connection asks of a run while another, not yet committed, changes it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from engine.events import Checkpoint
from tests.webapp.factories import claimed, first_run, person, points
from tests.webapp.worker_process import wait_until
from webapp.runs import pausing, services
from webapp.runs.checkpoint_retention import clear_checkpoints
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.execution import execute, execute_next
from webapp.runs.models import Priority, Run, Status
from webapp.scheduling.claiming import claim_next
from webapp.scheduling.models import Quota
from webapp.workers import pulse
from webapp.workers.pulse import Machine

pytestmark = pytest.mark.django_db(transaction=True)


def during(change: Callable[[], object], action: Callable[[], Any]) -> Any:
    """What `action` gives on a connection of its own, begun after `change` and before its commit:
    it ends meanwhile, or waits for the commit."""
    process: list[int] = []

    def act() -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                process.extend(cursor.fetchone())
            return action()
        finally:
            connection.close()

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", process)
            return cursor.fetchone()[0]

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change()
            acting = pool.submit(act)
            wait_until(lambda: acting.done() or (process and waits()), seconds=30)
        return acting.result()


@pytest.fixture
def ada():
    return person("ada")


@pytest.fixture
def run(ada) -> Run:
    """At work."""
    return claimed(first_run(ada))


def release(run: Run) -> None:
    services.release(run_id=run.pk, attempt=1)


def pause(run: Run) -> None:
    pausing.pause(run_id=run.pk, attempt=1)


def lose(run: Run) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Run.objects.filter(pk=run.pk).update(lease_until=past)
    assert services.requeue_expired() == [run.pk]


@pytest.mark.parametrize("let_go", [release, pause, lose])
def test_who_cancels_a_run_that_its_worker_lets_go_is_heard(ada, run: Run, let_go) -> None:
    asked = during(lambda: let_go(run), lambda: services.request_cancel(user=ada, run=run))
    assert asked.status == Status.CANCELLED


@pytest.mark.parametrize("let_go", [release, lose])
def test_who_pauses_a_run_that_its_worker_lets_go_is_heard(ada, run: Run, let_go) -> None:
    asked = during(lambda: let_go(run), lambda: pausing.request_pause(user=ada, run=run))
    assert asked.status == Status.PAUSED


def test_who_cancels_a_run_that_pauses_is_heard(ada, run: Run) -> None:
    pausing.request_pause(user=ada, run=run)
    services.request_cancel(user=ada, run=run)
    pause(run)
    run.refresh_from_db()
    assert run.status == Status.CANCELLED


def test_who_resumes_a_run_whose_checkpoints_are_cleared_is_told(
    ada, run: Run, settings, tmp_path
) -> None:
    settings.CHECKPOINT_ROOT = tmp_path
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 5))
    CheckpointStore(run.pk).save(Checkpoint(run=0, step=5, state={}))
    services.keep_checkpoint(run_id=run.pk, attempt=1, step=5)
    services.finish(run_id=run.pk, attempt=1, status=Status.CANCELLED)
    long_ago = timezone.now() - timedelta(days=9)
    Run.objects.filter(pk=run.pk).update(finished_at=long_ago)
    run.refresh_from_db()
    with pytest.raises(pausing.CannotResume):
        during(clear_checkpoints, lambda: pausing.resume(user=ada, run=run))


def test_workers_of_two_queues_keep_to_the_runs_at_once_of_a_person(ada) -> None:
    for queue in ("cpu", "gpu"):
        first_run(ada, device={"gpu": "cuda"}.get(queue, queue))
        machine = Machine(device=queue, has_gpu=queue == "gpu", memory_bytes=8 * 2**30)
        pulse.report(name=queue, queues=[queue], slots=1, machine=machine)
    Quota.objects.create(person=ada, runs_at_once=1)
    second = during(
        lambda: claim_next(worker="cpu", queue="cpu"),
        lambda: claim_next(worker="gpu", queue="gpu"),
    )
    assert (second, Run.objects.filter(status=Status.RUNNING).count()) == (None, 1)


def test_while_a_checkpoint_is_read_a_smaller_worker_keeps_to_the_runs_at_once(
    ada, settings, tmp_path, monkeypatch
) -> None:
    settings.CHECKPOINT_ROOT = tmp_path
    settings.CHECKPOINT_SECONDS = 0
    for name, memory in (("large", 8), ("small", 4)):
        machine = Machine(device="CPU", has_gpu=False, memory_bytes=memory * 2**30)
        pulse.report(name=name, queues=["cpu"], slots=1, machine=machine)
    large, small = first_run(ada), first_run(ada)
    Run.objects.exclude(pk__in=(large.pk, small.pk)).delete()
    execute(large.pk, "large", must_stop=lambda: bool(CheckpointStore(large.pk).steps()))
    Run.objects.filter(pk=large.pk).update(needs_bytes=6 * 2**30, priority=Priority.HIGH)
    Run.objects.filter(pk=small.pk).update(needs_bytes=2**30)
    Quota.objects.create(person=ada, runs_at_once=1)
    read, taken = CheckpointStore.newest, []

    def slowly(store: CheckpointStore, at_most: int) -> Checkpoint | None:
        taken.append(claim_next(worker="small", queue="cpu"))
        return read(store, at_most)

    monkeypatch.setattr(CheckpointStore, "newest", slowly)
    assert not execute_next("cpu", "large"), "it waits until the other has ended"
    assert taken == [small]
    assert list(Run.objects.filter(status=Status.RUNNING)) == [small]
