"""What admins do to the queue and to workers: who may, what follows, and that it is kept."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.webapp.factories import first_run, launched, person, signed_in
from tests.webapp.worker_process import WorkerProcess, wait_until
from webapp.accounts.models import User
from webapp.runs.models import Priority, Run, Status
from webapp.scheduling.line import whole_line
from webapp.workers import consumption, pulse, services
from webapp.workers.models import QueueAction, Worker
from webapp.workers.pulse import Machine
from webapp.workers.queue_page import queue_now

CPU = Machine(device="2 CPU cores", has_gpu=False, memory_bytes=8 * 2**30)


def admin() -> User:
    return person("root", role=User.Role.ADMIN)


class TestOrder(TestCase):
    @settings(max_examples=15)
    @given(moves=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["front", "back"]))))
    def test_any_moves_leave_the_order_that_a_list_would_have(self, moves) -> None:
        root = admin()
        runs = list(launched(root).runs.order_by("number"))
        expected = [run.pk for run in runs]
        for index, end in moves:
            run = runs[index]
            services.move(user=root, run=run, end=end)
            expected.remove(run.pk)
            expected.insert(0 if end == "front" else len(expected), run.pk)
        assert [turn.run_id for turn in whole_line("cpu", most=9)] == expected
        assert [item.run.pk for item in queue_now().waiting] == expected
        later = first_run(root)
        last = [pk for pk in expected if Run.objects.get(pk=pk).priority == Priority.LAST]
        line = [turn.run_id for turn in whole_line("cpu", most=9)]
        assert line.index(later.pk) == len(line) - len(last) - 4, "before what was put last"


@pytest.mark.django_db
def test_what_an_admin_moved_is_kept_with_who_did_it() -> None:
    root, run = admin(), first_run(person("ada"))
    answer = signed_in(root).post(f"/queue/runs/{run.pk}/front", follow=True)
    assert "Moved run" in answer.content.decode()
    assert QueueAction.objects.get().admin == root
    assert "root moved it to the front" in run.events.get().message


@pytest.mark.django_db
def test_a_run_that_began_cannot_be_moved() -> None:
    root, run = admin(), first_run(person("ada"))
    Run.objects.filter(pk=run.pk).update(status=Status.PAUSED)
    with pytest.raises(services.CannotDo, match="does not wait"):
        services.move(user=root, run=run, end="front")
    assert Run.objects.get(pk=run.pk).priority == Priority.NORMAL


@pytest.mark.django_db
def test_only_an_admin_moves_pauses_and_forgets_and_an_owner_cancels() -> None:
    ada, bob = person("ada"), person("bob")
    run = first_run(ada)
    pulse.report(name="cpu@host", queues=["cpu"], slots=1, machine=CPU)
    worker = Worker.objects.get()
    client = signed_in(ada)
    for act in ("pause", "resume", "forget"):
        assert client.post(f"/queue/workers/{worker.pk}/{act}").status_code == 403
    for act in ("front", "back"):
        assert client.post(f"/queue/runs/{run.pk}/{act}").status_code == 403
    assert signed_in(bob).post(f"/queue/runs/{run.pk}/cancel").status_code == 403
    assert client.get(f"/queue/runs/{run.pk}/cancel").status_code == 405
    assert client.post(f"/queue/runs/{run.pk}/cancel").status_code == 302
    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert not QueueAction.objects.exists()
    page = client.get("/queue/").content.decode()
    assert "Move run" not in page
    assert ">Pause<" not in page
    root = signed_in(admin())
    assert root.post(f"/queue/workers/{worker.pk}/nonsense").status_code == 404
    assert root.post(f"/queue/runs/{run.pk}/nonsense").status_code == 404
    assert root.post("/queue/workers/999999/pause").status_code == 404


@pytest.mark.django_db
def test_a_silent_worker_is_shown_until_it_is_forgotten() -> None:
    root = admin()
    pulse.report(name="cpu@host", queues=["cpu"], slots=1, machine=CPU)
    worker = Worker.objects.get()
    with pytest.raises(services.CannotDo, match="alive"):
        services.forget(user=root, worker=worker)
    Worker.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=5))
    page = signed_in(root).get("/queue/").content.decode()
    assert "Silent." in page
    signed_in(root).post(f"/queue/workers/{worker.pk}/forget")
    assert not Worker.objects.exists()
    assert "Forgot the worker cpu@host" in QueueAction.objects.get().message


@pytest.mark.django_db
def test_what_waits_for_paused_workers_says_so() -> None:
    root = admin()
    pulse.report(name="cpu@host", queues=["cpu"], slots=1, machine=CPU)
    launched(root, seeds=[0])
    services.set_paused(user=root, worker=Worker.objects.get(), paused=True)
    assert {item.reason for item in queue_now().waiting} == {"Every CPU worker is paused."}
    pulse.report(name="cpu@host", queues=["cpu"], slots=1, machine=CPU)
    assert Worker.objects.get().paused, "a heartbeat keeps it"


@pytest.mark.django_db(transaction=True)
def test_a_paused_worker_takes_nothing_and_a_resumed_one_goes_on(tmp_path: Path) -> None:
    root = admin()
    with WorkerProcess(tmp_path) as process:
        worker = Worker.objects.get(name__startswith=f"{process.name}@")
        services.set_paused(user=root, worker=worker, paused=True)
        wait_until(lambda: not consumed(worker), seconds=60, every=0.1)
        run = first_run(root, seeds=[0], estimators=[{"kind": "unrolled"}])
        with pytest.raises(AssertionError, match="not so"):
            wait_until(lambda: status(run) != Status.QUEUED, seconds=1.5, every=0.1)
        services.set_paused(user=root, worker=worker, paused=False)
        wait_until(lambda: status(run) == Status.FINISHED, seconds=90, every=0.1)


def consumed(worker: Worker) -> list:
    """The queues that it shares with others: one of its own it keeps."""
    answers = consumption.app.control.inspect([worker.name], timeout=5).active_queues() or {}
    found = answers.get(worker.name)
    return ["no answer"] if found is None else [q for q in found if q["name"] in worker.queues]


def status(run: Run) -> str:
    return Run.objects.values_list("status", flat=True).get(pk=run.pk)
