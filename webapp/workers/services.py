"""What admins do to the queue and to workers. Each act is kept, with who did it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from webapp.runs.models import Priority, Run, RunEvent, Status
from webapp.runs.telling import log
from webapp.workers import consumption
from webapp.workers.models import QueueAction, Worker
from webapp.workers.selectors import is_alive

if TYPE_CHECKING:
    from webapp.accounts.models import User

End = Literal["front", "back"]


class CannotDo(Exception):
    """Why an act makes no sense now, in a sentence for people."""


def require_admin(user: User, action: str) -> None:
    if not (user.is_active and user.is_lab_admin):
        raise PermissionDenied(f"Only an admin of the lab may {action}.")


def set_paused(*, user: User, worker: Worker, paused: bool) -> None:
    """A paused worker ends what it runs and takes nothing further until it is resumed."""
    require_admin(user, "pause or resume a worker")
    with transaction.atomic():
        if not Worker.objects.filter(pk=worker.pk, paused=not paused).update(paused=paused):
            return
        _keep(user, f"{'Paused' if paused else 'Resumed'} the worker {worker.name}.")
        worker.paused = paused
        transaction.on_commit(lambda: consumption.tell(worker))


def forget(*, user: User, worker: Worker) -> None:
    """Take a silent worker off the page. One that lives comes back with its next heartbeat."""
    require_admin(user, "forget a worker")
    if is_alive(worker):
        raise CannotDo(f"{worker.name} is alive: it would be back within seconds.")
    with transaction.atomic():
        since = timezone.localtime(worker.heartbeat_at)
        _keep(user, f"Forgot the worker {worker.name}, silent since {since:%Y-%m-%d %H:%M}.")
        worker.delete()


def move(*, user: User, run: Run, end: End) -> None:
    """Put a waiting run before, or behind, all others that wait in its queue now."""
    require_admin(user, "change the order of the queue")
    with transaction.atomic():
        first = end == "front"
        priority = Priority.FIRST if first else Priority.LAST
        stands_at = timezone.now()
        if first and (others := _waiting(run.queue).filter(priority=priority)).exists():
            earliest = others.aggregate(at=Min("stands_at"))["at"]
            stands_at = earliest - timedelta(microseconds=1)
        mine = _waiting(run.queue).filter(pk=run.pk)
        if not mine.update(priority=priority, stands_at=stands_at):
            raise CannotDo(f"{run.label} does not wait any more.")
        log(
            run,
            RunEvent.Level.INFO,
            f"{user.get_username()} moved it to the {end} of the {run.queue.upper()} queue.",
        )
        _keep(user, f"Moved run {run.pk}, {run.label}, to the {end} of the queue.")


def _waiting(queue: str) -> QuerySet[Run]:
    return Run.objects.filter(status=Status.QUEUED, queue=queue)


def _keep(user: User, message: str) -> None:
    QueueAction.objects.create(admin=user, message=message[:500])
