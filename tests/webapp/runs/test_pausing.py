"""Pausing and resuming: nobody has a paused run, and a resumed one goes on as if never stopped."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from engine.spec import SpecError
from tests.webapp.factories import claimed, first_run, person, points
from tests.webapp.runs.test_execution import deterministic
from webapp.runs import pausing, recorder, services
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.execution import execute
from webapp.runs.models import ENDS, Run, RunEvent, Status
from webapp.runs.pausing import CannotResume

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _checkpoints_in_a_folder_of_the_test(settings, tmp_path) -> None:
    settings.CHECKPOINT_ROOT = tmp_path


@pytest.fixture
def ada():
    return person("ada")


@pytest.fixture
def run(ada) -> Run:
    return first_run(ada)


def fresh(run: Run) -> Run:
    return Run.objects.select_related("experiment__owner").get(pk=run.pk)


def ended(run: Run, status: Status, *, checkpoint: int | None = None) -> Run:
    claimed(run)
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 8))
    if checkpoint is not None:
        services.keep_checkpoint(run_id=run.pk, attempt=1, step=checkpoint)
    services.finish(run_id=run.pk, attempt=1, status=status)
    return fresh(run)


def test_a_waiting_run_is_paused_at_once_and_nobody_takes_it(ada, run: Run) -> None:
    assert pausing.request_pause(user=ada, run=run).status == Status.PAUSED
    assert services.claim(run_id=run.pk, worker="a") is None
    assert pausing.resume(user=ada, run=fresh(run)).status == Status.QUEUED
    assert claimed(run).attempt == 1


def test_a_running_run_is_asked_and_its_worker_learns_it(ada, run: Run) -> None:
    claimed(run)
    asked = pausing.request_pause(user=ada, run=run)
    assert (asked.status, asked.pause_requested) == (Status.RUNNING, True)
    assert services.renew(run_id=run.pk, attempt=1).pause_requested
    assert services.record_points(run_id=run.pk, attempt=1, points=points(1, 1)).pause_requested
    pausing.request_pause(user=ada, run=run)
    assert RunEvent.objects.filter(run=run).count() == 1, "asking twice says it once"
    pausing.pause(run_id=run.pk, attempt=1)
    paused = fresh(run)
    assert (paused.status, paused.pause_requested, paused.worker) == (Status.PAUSED, False, "")


def test_a_run_that_is_to_be_cancelled_is_not_paused(ada, run: Run) -> None:
    claimed(run)
    services.request_cancel(user=ada, run=run)
    assert not pausing.request_pause(user=ada, run=run).pause_requested


def test_a_lost_run_that_should_be_paused_is_not_tried_again(ada, run: Run) -> None:
    claimed(run)
    pausing.request_pause(user=ada, run=run)
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.requeue_expired() == [run.pk]
    assert fresh(run).status == Status.PAUSED


def test_a_worker_that_shuts_down_leaves_a_run_paused_as_asked(ada, run: Run) -> None:
    claimed(run)
    pausing.request_pause(user=ada, run=run)
    services.release(run_id=run.pk, attempt=1)
    assert fresh(run).status == Status.PAUSED


def test_a_paused_run_is_cancelled_at_once(ada, run: Run) -> None:
    pausing.request_pause(user=ada, run=run)
    assert services.request_cancel(user=ada, run=fresh(run)).status == Status.CANCELLED


def test_what_nobody_works_on_takes_no_time(ada, run: Run) -> None:
    claimed(run)
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(started_at=now - timedelta(seconds=100))
    services.release(run_id=run.pk, attempt=1)
    Run.objects.filter(pk=run.pk).update(idle_since=now - timedelta(seconds=60))
    assert fresh(run).seconds_worked(now + timedelta(hours=1)) == pytest.approx(40)
    again = claimed(run)
    later = timezone.now() + timedelta(seconds=5)
    assert again.seconds_worked(later) == pytest.approx(45, abs=1)


@pytest.mark.parametrize("status", [*ENDS, Status.QUEUED, Status.RUNNING])
def test_what_has_no_checkpoint_or_does_not_wait_is_not_resumed(ada, status: Status) -> None:
    run = first_run(ada)
    if status in ENDS:
        run = ended(run, status)
    elif status == Status.RUNNING:
        run = fresh(claimed(run))
    with pytest.raises(CannotResume):
        pausing.resume(user=ada, run=run)
    assert fresh(run).status == status


def test_a_cancelled_run_goes_on_from_its_checkpoint(ada, run: Run) -> None:
    resumed = pausing.resume(user=ada, run=ended(run, Status.CANCELLED, checkpoint=6))
    assert (resumed.status, resumed.finished_at, resumed.cancel_requested) == (
        Status.QUEUED,
        None,
        False,
    )
    claimed(run, resume_from=6)
    assert fresh(run).resumes == [[2, 6]]


def test_a_used_up_budget_must_grow(ada) -> None:
    run = ended(first_run(ada, budget={"seconds": 2.0}), Status.OUT_OF_BUDGET, checkpoint=5)
    for budget in (None, {"seconds": 2.0}, {"seconds": 1.0, "bytes": None}):
        with pytest.raises(CannotResume, match="a larger one"):
            pausing.resume(user=ada, run=run, budget=budget)
    with pytest.raises(SpecError, match=r"budget.seconds"):
        pausing.resume(user=ada, run=run, budget={"seconds": -1.0})
    resumed = pausing.resume(user=ada, run=run, budget={"seconds": 60.0})
    assert (resumed.status, resumed.spec["budget"]["seconds"]) == (Status.QUEUED, 60.0)
    assert "another budget: seconds 2.0 → 60.0" in resumed.events.last().message


def test_only_who_may_change_a_run_pauses_and_resumes_it(ada, run: Run) -> None:
    bob = person("bob")
    for act in (pausing.request_pause, pausing.resume):
        with pytest.raises(
            PermissionDenied, match=r"ada or an admin of the lab may (pause|resume)"
        ):
            act(user=bob, run=run)


def test_a_paused_run_goes_on_as_if_nothing_had_happened(ada, monkeypatch) -> None:
    monkeypatch.setattr(recorder, "FLUSH_POINTS", 1)
    whole = first_run(ada, seeds=[3])
    execute(whole.pk, "worker@test")

    run = first_run(ada, seeds=[3])
    for attempt, asked_at in ((1, 5), (2, 12)):

        def ask(at: int = asked_at) -> bool:
            if fresh(run).sequence >= at:
                pausing.request_pause(user=ada, run=fresh(run))
            return False

        execute(run.pk, "worker@test", must_stop=ask)
        paused = fresh(run)
        assert (paused.status, paused.attempt) == (Status.PAUSED, attempt)
        assert asked_at <= paused.step < 20
        assert paused.checkpoint_step == paused.sequence == paused.step, "nothing is lost"
        assert "Paused; its checkpoint" in paused.events.filter(kind="state").last().message
        pausing.resume(user=ada, run=paused)
    execute(run.pk, "worker@test")
    done = fresh(run)
    assert (done.status, done.attempt, len(done.resumes)) == (Status.FINISHED, 3, 2)
    assert deterministic(done) == deterministic(whole)
    assert not CheckpointStore(run.pk).steps()
    assert done.checkpoint_step is None


def test_a_run_out_of_budget_ends_as_the_whole_one(ada) -> None:
    whole = first_run(ada, outer={"steps": 60})
    execute(whole.pk, "worker@test")
    run = first_run(ada, outer={"steps": 60}, budget={"seconds": 0.01})
    execute(run.pk, "worker@test")
    stopped = fresh(run)
    assert stopped.status == Status.OUT_OF_BUDGET
    assert 0 < stopped.checkpoint_step < 60
    pausing.resume(user=ada, run=stopped, budget={"seconds": None})
    execute(run.pk, "worker@test")
    assert fresh(run).status == Status.FINISHED
    assert deterministic(run) == deterministic(whole)
