"""Pausing a run and resuming it: a pause is a checkpoint and a release.

A resumed run goes on from its checkpoint, so that its series are those of a run that never stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Case, Value, When

from engine.spec import validate
from webapp.runs import chunks
from webapp.runs.models import Run, RunEvent, Status
from webapp.runs.permissions import require_change
from webapp.runs.services import END_IF_CANCELLED, MOST_LOSSES, RELEASED, LeaseLost
from webapp.runs.telling import hint, log
from webapp.runs.wake import wake
from webapp.scheduling import backoff, usage

if TYPE_CHECKING:
    from webapp.accounts.models import User


class CannotResume(Exception):
    """Why a run does not go on, in a sentence for people."""


def request_pause(*, user: User, run: Run) -> Run:
    """Pause a queued run at once; ask the worker of a running one to do so after its outer step.

    Any other run stays as it is. Returns the run as it is now.
    """
    require_change(user, run.experiment, "pause this run")
    with transaction.atomic():
        # The lock first: its worker may be letting it go at this moment.
        this = Run.objects.select_for_update().get(pk=run.pk)
        same = Run.objects.filter(pk=run.pk)
        if this.status == Status.QUEUED:
            same.update(status=Status.PAUSED)
            log(this, RunEvent.Level.INFO, f"Paused by {user.get_username()} while it waited.")
        elif this.status == Status.RUNNING and not (this.pause_requested or this.cancel_requested):
            same.update(pause_requested=True)
            log(this, RunEvent.Level.INFO, f"{user.get_username()} asked to pause.")
        hint(run.pk)
    run.refresh_from_db()
    return run


def pause(*, run_id: int, attempt: int) -> None:
    """Let go of a running run whose checkpoint is kept: nobody takes it until it is resumed. One
    that somebody asked to cancel meanwhile is cancelled."""
    with transaction.atomic():
        mine = Run.objects.filter(pk=run_id, status=Status.RUNNING, attempt=attempt)
        if not mine.update(status=_AFTER_PAUSE, finished_at=END_IF_CANCELLED, **RELEASED):
            raise LeaseLost(f"run {run_id} is no longer attempt {attempt}'s")
        usage.charge(run_id)
        run = Run.objects.get(pk=run_id)
        happened = "Cancelled" if run.has_ended else "Paused"
        log(run, RunEvent.Level.INFO, f"{happened}; its checkpoint has {run.step} outer steps.")
        if run.has_ended:
            chunks.pack(run_id)
        hint(run_id)


_AFTER_PAUSE = Case(
    When(cancel_requested=True, then=Value(Status.CANCELLED)), default=Value(Status.PAUSED)
)


def resume(*, user: User, run: Run, budget: dict[str, Any] | None = None) -> Run:
    """Queue a paused run, or an ended one that `may_resume`, from its checkpoint.

    `budget` (`seconds`, `bytes`; None is without bound) replaces that of the run's spec. Raises
    `CannotResume` where it makes no sense, and `SpecError` for a budget that cannot be.
    """
    require_change(user, run.experiment, "resume this run")
    if not may_resume(run):
        raise CannotResume(why_not(run))
    spec = run.spec
    if budget is not None:
        spec = validate({**run.spec, "budget": budget}).model_dump(mode="json")
    if run.status == Status.OUT_OF_BUDGET and not _is_larger(spec["budget"], run.spec["budget"]):
        raise CannotResume("It would stop at once: its budget is used up. Give it a larger one.")
    with transaction.atomic():
        # The checkpoint may have been given up since.
        same = Run.objects.filter(pk=run.pk, status=run.status, checkpoint_step=run.checkpoint_step)
        if not same.update(
            status=Status.QUEUED,
            spec=spec,
            finished_at=None,
            error="",
            cancel_requested=False,
            times_lost=0,
        ):
            raise CannotResume("Somebody else was faster: the run is no longer as it was.")
        backoff.forget(run.pk)
        log(run, RunEvent.Level.INFO, _resumed(user, run, spec))
        transaction.on_commit(lambda: wake([(run.pk, run.queue)]))
        hint(run.pk)
    run.refresh_from_db()
    return run


def may_resume(run: Run) -> bool:
    return not why_not(run)


def why_not(run: Run) -> str:
    """Why `run` cannot be resumed; empty if it can."""
    if run.status == Status.PAUSED:
        return ""
    if not run.has_ended:
        return "It is not paused."
    if run.status == Status.FINISHED:
        return "It is finished."
    if run.checkpoint_step is None:
        return "It has no checkpoint to go on from. Clone it to run it again."
    if run.status == Status.FAILED and run.times_lost < MOST_LOSSES:
        return "It would fail again at the same outer step. Clone it with a change."
    return ""


def _is_larger(budget: dict[str, Any], used_up: dict[str, Any]) -> bool:
    """Whether a bound was raised or lifted, or there was none: then its worker's memory ended it,
    and another worker may have more."""
    bounds = [(budget[name], bound) for name, bound in used_up.items() if bound is not None]
    return not bounds or any(new is None or new > old for new, old in bounds)


def _resumed(user: User, run: Run, spec: dict[str, Any]) -> str:
    place = f" from outer step {run.checkpoint_step}" if run.checkpoint_step else ""
    changed = [
        f"{name} {run.spec['budget'].get(name) or 'without bound'} → {value or 'without bound'}"
        for name, value in spec["budget"].items()
        if value != run.spec["budget"].get(name)
    ]
    budget = f" with another budget: {', '.join(changed)}" if changed else ""
    return f"Resumed by {user.get_username()}{place}{budget}."
