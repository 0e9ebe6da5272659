"""The states of a run: who may move it, and what a write that comes too late cannot do."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from engine.events import Note
from tests.webapp.factories import claimed, first_run, person, points
from webapp.runs import pausing, services
from webapp.runs.models import ENDS, Run, RunEvent, SeriesChunk, Status
from webapp.runs.selectors import series
from webapp.runs.services import LeaseLost
from webapp.scheduling.models import Usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return person("ada")


@pytest.fixture
def run(ada) -> Run:
    return first_run(ada)


def expire(run: Run) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Run.objects.filter(pk=run.pk).update(lease_until=past)


def test_a_run_goes_from_the_queue_to_its_end(run: Run) -> None:
    taken = claimed(run)
    assert (taken.status, taken.attempt, taken.worker) == (Status.RUNNING, 1, "worker@test")
    assert taken.started_at is not None

    note = Note(run=0, step=3, level="warning", message="the residual grows")
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 7), notes=[note])
    services.record_points(run_id=run.pk, attempt=1, points=points(8, 20))
    services.finish(
        run_id=run.pk,
        attempt=1,
        status="finished",
        summary={"meta_loss": 0.5, "bias": float("nan"), "worst": float("-inf"), "none": None},
    )

    run.refresh_from_db()
    assert (run.status, run.step, run.sequence) == (Status.FINISHED, 20, 20)
    assert run.finished_at is not None
    assert run.lease_until is None
    assert run.summary == {"meta_loss": 0.5, "bias": "nan", "worst": "-inf", "none": None}
    assert run.figures["worst"] == float("-inf")
    assert run.figures["none"] is None
    assert run.events.get(kind="log").message == "the residual grows"
    kept = series([run.pk])[run.pk]
    assert kept["meta_loss"][0].tolist() == list(range(20))
    assert kept["bias"][1].tolist() == [0.0, 5.0, 10.0, 15.0]
    assert SeriesChunk.objects.filter(run=run).count() == 3, "small chunks are joined at the end"


def test_the_summary_follows_a_running_run(run: Run) -> None:
    claimed(run)
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 6))
    run.refresh_from_db()
    last = {"meta_loss": 0.5, "seconds": 0.05, "bias": 5.0}
    assert run.figures == {**last, "best_meta_loss": 0.0, "best_bias": 0.0}


def test_a_run_is_claimed_once(run: Run) -> None:
    assert services.claim(run_id=run.pk, worker="a") is not None
    assert services.claim(run_id=run.pk, worker="b") is None
    run.refresh_from_db()
    assert (run.worker, run.attempt) == ("a", 1)


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_claim_at_the_same_moment_one_wins() -> None:
    run = first_run(person("eve"))
    ready, winners = Barrier(6), []

    def claim(name: str) -> None:
        ready.wait()
        if services.claim(run_id=run.pk, worker=name):
            winners.append(name)
        connection.close()

    threads = [Thread(target=claim, args=(f"worker {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.refresh_from_db()
    assert winners == [run.worker]
    assert run.attempt == 1


def test_a_late_write_of_a_lost_attempt_is_refused(run: Run) -> None:
    claimed(run)
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 5))
    expire(run)
    assert services.requeue_expired() == [run.pk]
    claimed(run, worker="another", resume_from=4)

    for late in (
        lambda: services.record_points(run_id=run.pk, attempt=1, points=points(6, 7)),
        lambda: services.renew(run_id=run.pk, attempt=1),
        lambda: services.rewind(run_id=run.pk, attempt=1, sequence=0),
        lambda: services.release(run_id=run.pk, attempt=1),
        lambda: services.finish(run_id=run.pk, attempt=1, status="finished"),
    ):
        with pytest.raises(LeaseLost):
            late()
    run.refresh_from_db()
    assert (run.status, run.attempt, run.sequence, run.worker) == ("running", 2, 4, "another")


def test_a_resumed_attempt_rewinds_to_its_checkpoint(run: Run) -> None:
    claimed(run)
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 3))
    services.record_points(run_id=run.pk, attempt=1, points=points(4, 12))
    services.release(run_id=run.pk, attempt=1)
    taken = claimed(run, resume_from=8)
    assert (taken.attempt, taken.sequence, taken.step) == (2, 8, 8)
    kept = series([run.pk])[run.pk]
    assert kept["meta_loss"][0].tolist() == list(range(8)), "the straddling chunk is cut"
    assert kept["bias"][0].tolist() == [0, 5]

    services.record_points(run_id=run.pk, attempt=2, points=points(9, 20, offset=100))
    values = series([run.pk], names=["meta_loss"], after=7)[run.pk]["meta_loss"][1]
    assert values[:2].tolist() == [0.7, 100.8]


def test_a_missing_point_is_refused(run: Run) -> None:
    claimed(run)
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 3))
    with pytest.raises(ValueError, match="outer step 3, not 4"):
        services.record_points(run_id=run.pk, attempt=1, points=points(5, 6))
    with pytest.raises(ValueError, match="in order"):
        services.record_points(run_id=run.pk, attempt=1, points=[*points(4, 4), *points(6, 6)])
    run.refresh_from_db()
    assert run.sequence == 3


def test_a_queued_run_is_cancelled_at_once(ada, run: Run) -> None:
    assert services.request_cancel(user=ada, run=run).status == Status.CANCELLED
    assert run.finished_at is not None
    assert services.claim(run_id=run.pk, worker="a") is None


def test_a_running_run_is_asked_to_stop(ada, run: Run) -> None:
    claimed(run)
    assert services.request_cancel(user=ada, run=run).status == Status.RUNNING
    assert services.renew(run_id=run.pk, attempt=1).cancel_requested
    assert services.record_points(run_id=run.pk, attempt=1, points=points(1, 1)).cancel_requested
    services.request_cancel(user=ada, run=run)
    assert RunEvent.objects.filter(run=run).count() == 1, "asking twice says it once"
    services.finish(run_id=run.pk, attempt=1, status=Status.CANCELLED)
    run.refresh_from_db()
    assert (run.status, run.sequence) == (Status.CANCELLED, 1)


@pytest.mark.parametrize("end", ENDS)
def test_an_ended_run_stays_as_it_ended(ada, run: Run, end: Status) -> None:
    claimed(run)
    services.finish(run_id=run.pk, attempt=1, status=end, error="why")
    ended_at = Run.objects.get(pk=run.pk).finished_at
    assert services.request_cancel(user=ada, run=run).status == end
    assert services.claim(run_id=run.pk, worker="a") is None
    with pytest.raises(LeaseLost):
        services.finish(run_id=run.pk, attempt=1, status=Status.FAILED)
    run.refresh_from_db()
    assert (run.status, run.error, run.finished_at) == (end, "why", ended_at)


def test_a_run_ends_only_in_an_end(run: Run) -> None:
    claimed(run)
    with pytest.raises(ValueError, match="allowed: finished, cancelled, failed, out_of_budget"):
        services.finish(run_id=run.pk, attempt=1, status="queued")


def test_a_run_that_loses_three_workers_fails_and_says_so(run: Run) -> None:
    for loss in (1, 2, 3):
        claimed(run)
        expire(run)
        assert services.requeue_expired() == [run.pk]
        run.refresh_from_db()
        assert run.times_lost == loss
    assert run.status == Status.FAILED
    assert run.error == "Its worker vanished 3 times, most recently at outer step 0."
    assert services.requeue_expired() == []


def test_a_lost_run_that_should_be_cancelled_is_not_tried_again(ada, run: Run) -> None:
    claimed(run)
    services.request_cancel(user=ada, run=run)
    expire(run)
    services.requeue_expired()
    run.refresh_from_db()
    assert run.status == Status.CANCELLED


def test_nobody_pays_for_the_time_in_which_a_run_lay_lost(run: Run) -> None:
    claimed(run)
    expire(run)
    left_at = Run.objects.get(pk=run.pk).lease_until
    began_at = left_at - timedelta(seconds=40)
    Run.objects.filter(pk=run.pk).update(claimed_at=began_at, started_at=began_at)
    services.requeue_expired()
    run.refresh_from_db()
    assert run.seconds_worked(timezone.now() + timedelta(hours=9)) == 40
    midnight = left_at.replace(hour=0, minute=0, second=0, microsecond=0)
    today = left_at - max(began_at, midnight)
    assert Usage.objects.get().seconds == pytest.approx(today.total_seconds())


@pytest.mark.parametrize(
    ("asked", "becomes"),
    [
        (services.request_cancel, Status.CANCELLED),
        (pausing.request_pause, Status.PAUSED),
        (None, Status.QUEUED),
    ],
)
def test_a_worker_that_shuts_down_leaves_a_run_as_it_was_asked(ada, run, asked, becomes) -> None:
    claimed(run)
    if asked:
        asked(user=ada, run=run)
    services.release(run_id=run.pk, attempt=1)
    run.refresh_from_db()
    assert run.status == becomes
    assert (run.finished_at is not None) == (becomes == Status.CANCELLED)
    assert run.worker == ""


def test_a_renewed_lease_is_not_taken_back(run: Run) -> None:
    claimed(run)
    expire(run)
    services.renew(run_id=run.pk, attempt=1)
    assert services.requeue_expired() == []


@pytest.mark.parametrize(
    "change",
    [
        {"status": "sleeping"},
        {"status": "finished"},
        {"finished_at": timezone.now()},
        {"status": "running"},
        {"sequence": 21},
        {"step": 21},
    ],
)
def test_the_database_refuses_states_that_cannot_be(run: Run, change: dict) -> None:
    with pytest.raises(IntegrityError):
        Run.objects.filter(pk=run.pk).update(**change)
