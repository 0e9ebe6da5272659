"""Every change of a run. A status changes by compare-and-set, so no two processes can both win.

A running run belongs to one attempt: a write that carries another attempt's number is refused
(`LeaseLost`), however late it comes. All times are the database's, so clocks may differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce, Now

from engine.events import Note, Pictured, Point
from engine.summary import updated
from webapp.audit.services import record
from webapp.forecasts import predictions
from webapp.live import hints
from webapp.runs import chunks, pictures, summaries
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.models import ENDS, Run, RunEvent, SeriesChunk, Status
from webapp.runs.permissions import require_change
from webapp.runs.telling import hint, log
from webapp.runs.wake import wake
from webapp.scheduling import backoff, usage

if TYPE_CHECKING:
    from webapp.accounts.models import User

LEASE = timedelta(seconds=30)
MOST_LOSSES = 3
"""A run whose worker vanished this often is not tried again."""


class LeaseLost(Exception):
    """The run is not, or no longer, this attempt's: stop and write nothing."""


@dataclass(frozen=True)
class Lease:
    """What a worker learns when it renews."""

    cancel_requested: bool
    pause_requested: bool = False


def claim(
    *, run_id: int, worker: str, resume_from: int = 0, now: datetime | None = None
) -> Run | None:
    """Take a queued run, keeping its first `resume_from` points; None if it is not there to take.
    `now` is another time than the database's: a simulation's.

    The only place where a run is rewound: followers see a new attempt and cut their tail.
    """
    with transaction.atomic():
        taken = Run.objects.filter(
            pk=run_id, status=Status.QUEUED, sequence__gte=resume_from
        ).update(
            status=Status.RUNNING,
            attempt=F("attempt") + 1,
            worker=worker,
            lease_until=Now() + LEASE,
            claimed_at=now or Now(),
            started_at=Coalesce("started_at", Now()),
            idle_time=F("idle_time") + Coalesce(Now() - F("idle_since"), timedelta()),
            idle_since=None,
        )
        if not taken:
            return None
        run = Run.objects.get(pk=run_id)
        if run.sequence > resume_from:
            rewind(run_id=run_id, attempt=run.attempt, sequence=resume_from)
            run.refresh_from_db()
        if run.attempt > 1:
            backoff.forget(run_id)
            run.resumes = [mark for mark in run.resumes if mark[1] < resume_from]
            run.resumes.append([run.attempt, resume_from])
            run.save(update_fields=["resumes"])
        hints.send_after_commit(run_id, run.sequence)
    return run


def rewind(*, run_id: int, attempt: int, sequence: int) -> None:
    """Delete what is past `sequence`, the outer steps of the checkpoint that is gone on from."""
    with transaction.atomic():
        mine = Run.objects.filter(
            pk=run_id, status=Status.RUNNING, attempt=attempt, sequence__gte=sequence
        )
        changes = {
            "sequence": sequence,
            "step": sequence,
            "checkpoint_step": sequence or None,
            **_PICTURES_CHANGE,
        }
        if not mine.update(**changes):
            raise LeaseLost(f"run {run_id} is not attempt {attempt}'s to rewind to {sequence}")
        cut = chunks.trim(run_id=run_id, sequence=sequence)
        mine.update(summary=summaries.without_what_was_cut(run_id, cut))
        pictures.trim(run_id=run_id, sequence=sequence)


def renew(*, run_id: int, attempt: int) -> Lease:
    """Hold the run for another lease; `LeaseLost` if it is held no more."""
    mine = Run.objects.filter(pk=run_id, status=Status.RUNNING, attempt=attempt)
    if not mine.update(lease_until=Now() + LEASE):
        raise LeaseLost(f"run {run_id} is no longer attempt {attempt}'s")
    cancel, pause = mine.values_list("cancel_requested", "pause_requested").first() or (
        False,
        False,
    )
    return Lease(cancel_requested=cancel, pause_requested=pause)


def record_points(
    *,
    run_id: int,
    attempt: int,
    points: list[Point],
    notes: Iterable[Note] = (),
    pictured: Sequence[Pictured] = (),
) -> Lease:
    """Commit `points`, `notes` and pictures with the run's progress, in one transaction; renews
    the lease.

    The points must follow the last committed one. Raises `LeaseLost` and writes nothing where the
    run is not this attempt's, and `ValueError` where a point is missing.
    """
    with transaction.atomic():
        run = (
            Run.objects.select_for_update()
            .only("sequence", "summary", "cancel_requested", "pause_requested")
            .filter(pk=run_id, status=Status.RUNNING, attempt=attempt)
            .first()
        )
        if run is None:
            raise LeaseLost(f"run {run_id} is no longer attempt {attempt}'s")
        sequence = run.sequence
        if points:
            if points[0].step != sequence:
                raise ValueError(
                    f"the next point of run {run_id} is of outer step {sequence}, "
                    f"not {points[0].step}"
                )
            SeriesChunk.objects.bulk_create(
                chunks.from_points(run_id=run_id, attempt=attempt, points=points)
            )
            sequence = points[-1].step + 1
            chunks.join(run_id=run_id, before=run.sequence, now=sequence)
        Run.objects.filter(pk=run_id).update(
            sequence=sequence,
            step=sequence,
            summary=_summary_after(run.summary, points),
            lease_until=Now() + LEASE,
            **(_PICTURES_CHANGE if pictured else {}),
        )
        if pictured:
            pictures.record(run_id=run_id, attempt=attempt, pictured=pictured)
        RunEvent.objects.bulk_create(
            RunEvent(
                run_id=run_id,
                attempt=attempt,
                step=note.step,
                level=note.level,
                message=note.message,
            )
            for note in notes
        )
        hints.send_after_commit(run_id, sequence)
    return Lease(cancel_requested=run.cancel_requested, pause_requested=run.pause_requested)


def keep_checkpoint(*, run_id: int, attempt: int, step: int) -> None:
    """Say that a checkpoint with `step` finished outer steps lies on durable storage."""
    mine = Run.objects.filter(pk=run_id, status=Status.RUNNING, attempt=attempt)
    if not mine.update(checkpoint_step=step):
        raise LeaseLost(f"run {run_id} is no longer attempt {attempt}'s")


def finish(
    *,
    run_id: int,
    attempt: int,
    status: Status | str,
    error: str = "",
    summary: Mapping[str, float | None] | None = None,
) -> None:
    """End the run. `error` is a sentence for people: why it failed or stopped early."""
    if status not in ENDS:
        raise ValueError(f"{status!r} is not an end of a run; allowed: {', '.join(ENDS)}")
    with transaction.atomic():
        changes: dict[str, Any] = {"status": status, "error": error, **RELEASED}
        if summary is not None:
            changes["summary"] = summaries.storable(summary)
        if status == Status.FINISHED:
            changes["checkpoint_step"] = None
        mine = Run.objects.filter(pk=run_id, status=Status.RUNNING, attempt=attempt)
        if not mine.update(finished_at=Now(), **changes):
            raise LeaseLost(f"run {run_id} is no longer attempt {attempt}'s")
        usage.charge(run_id)
        run = Run.objects.get(pk=run_id)
        happened = f"{run.get_status_display()} after outer step {run.step}."
        log(run, _LEVEL_OF_END[status], f"{happened} {error}".rstrip())
        chunks.pack(run_id)
        # Whatever becomes of that, the run has ended.
        transaction.on_commit(lambda: predictions.measure(run_id), robust=True)
        hint(run_id)


def release(*, run_id: int, attempt: int) -> None:
    """Give a running run back to the queue: its worker is shutting down. One that somebody asked
    to cancel or to pause is cancelled or paused."""
    with transaction.atomic():
        mine = Run.objects.filter(pk=run_id, status=Status.RUNNING, attempt=attempt)
        if not mine.update(status=_AFTER_RELEASE, finished_at=END_IF_CANCELLED, **RELEASED):
            raise LeaseLost(f"run {run_id} is no longer attempt {attempt}'s")
        usage.charge(run_id)
        run = Run.objects.get(pk=run_id)
        becomes = _BECOMES_AFTER_RELEASE[run.status]
        log(run, RunEvent.Level.INFO, f"Its worker shut down; the run {becomes}.")
        if run.has_ended:
            chunks.pack(run_id)
        if run.status == Status.QUEUED:
            transaction.on_commit(lambda: wake([(run.pk, run.queue)]))
        hint(run_id)


def request_cancel(*, user: User, run: Run) -> Run:
    """Cancel a run that no worker has at once; ask the worker of a running one to stop after its
    outer step.

    A run that has ended stays as it is. Returns the run as it is now.
    """
    require_change(user, run.experiment, "cancel this run")
    with transaction.atomic():
        # The lock first: its worker may be letting it go at this moment.
        this = Run.objects.select_for_update().get(pk=run.pk)
        same = Run.objects.filter(pk=run.pk)
        if this.status in (Status.QUEUED, Status.PAUSED):
            same.update(status=Status.CANCELLED, finished_at=Now(), cancel_requested=True)
            log(this, RunEvent.Level.INFO, f"Cancelled by {user.get_username()} while it waited.")
            chunks.pack(run.pk)
        elif this.status == Status.RUNNING and not this.cancel_requested:
            same.update(cancel_requested=True)
            log(this, RunEvent.Level.INFO, f"{user.get_username()} asked to cancel.")
        hint(run.pk)
    run.refresh_from_db()
    return run


def delete(*, user: User, run: Run) -> None:
    """Delete a run with all it has; a worker that still executes it finds it gone and stops."""
    require_change(user, run.experiment, "delete this run")
    run_id, experiment = run.pk, run.experiment
    with transaction.atomic():
        # The lock first: a worker must not add points between the points' deletion and the run's.
        Run.objects.select_for_update().filter(pk=run_id).first()
        Run.objects.filter(pk=run_id).delete()
        record("delete a run", actor=user, target=f"run {run_id}", owner=str(experiment.owner))
        if not experiment.runs.exists():
            experiment.delete()
        transaction.on_commit(CheckpointStore(run_id).delete, robust=True)
        hints.send_after_commit(run_id, 0)


def requeue_expired() -> list[int]:
    """Queue again every run whose worker stopped renewing; give up after `MOST_LOSSES` of them."""
    expired = Run.objects.filter(status=Status.RUNNING, lease_until__lt=Now())
    return [run.pk for run in list(expired) if _take_back(run)]


def _take_back(run: Run) -> bool:
    losses = run.times_lost + 1
    if run.cancel_requested:
        status, message = Status.CANCELLED, "Cancelled; its worker had vanished."
    elif losses >= MOST_LOSSES:
        status = Status.FAILED
        message = f"Its worker vanished {losses} times, most recently at outer step {run.step}."
    elif run.pause_requested:
        status, message = Status.PAUSED, "Its worker vanished; the run is paused, as asked."
    else:
        status = Status.QUEUED
        message = f"Its worker {run.worker} vanished; the run is queued again."
    # Nobody has worked on it since, so nobody is charged for that.
    left_at = run.lease_until
    changes: dict[str, Any] = {
        "status": status,
        "times_lost": losses,
        **RELEASED,
        "idle_since": left_at,
    }
    if status in ENDS:
        changes |= {"finished_at": Now(), "error": message if status == Status.FAILED else ""}
    with transaction.atomic():
        same = Run.objects.filter(
            pk=run.pk,
            status=Status.RUNNING,
            attempt=run.attempt,
            cancel_requested=run.cancel_requested,
            pause_requested=run.pause_requested,
            lease_until__lt=Now(),
        )
        if not same.update(**changes):
            return False
        usage.charge(run.pk, left_at)
        log(run, RunEvent.Level.WARNING, message)
        if status in ENDS:
            chunks.pack(run.pk)
        if status == Status.QUEUED:
            transaction.on_commit(lambda: wake([(run.pk, run.queue)]))
        hint(run.pk)
    return True


RELEASED: dict[str, Any] = {
    "worker": "",
    "lease_until": None,
    "pause_requested": False,
    "idle_since": Now(),
}
"""What a run that a worker held looks like when it holds it no more."""
_AFTER_RELEASE = Case(
    When(cancel_requested=True, then=Value(Status.CANCELLED)),
    When(pause_requested=True, then=Value(Status.PAUSED)),
    default=Value(Status.QUEUED),
)
END_IF_CANCELLED = Case(When(cancel_requested=True, then=Now()))
"""`finished_at` of a run that a worker lets go, and that ends only where somebody cancelled it."""
_BECOMES_AFTER_RELEASE = {
    Status.CANCELLED: "is cancelled, as asked",
    Status.PAUSED: "is paused, as asked",
    Status.QUEUED: "waits for the next one",
}
_LEVEL_OF_END = {
    Status.FINISHED: RunEvent.Level.INFO,
    Status.CANCELLED: RunEvent.Level.INFO,
    Status.OUT_OF_BUDGET: RunEvent.Level.WARNING,
    Status.FAILED: RunEvent.Level.ERROR,
}
_PICTURES_CHANGE: dict[str, Any] = {"picture_changes": F("picture_changes") + 1}


def _summary_after(summary: dict[str, Any], points: list[Point]) -> dict[str, Any]:
    for point in points:
        summary = updated(summary, point.values)
    return summaries.storable(summary)
