"""What keeps the queue true: lost workers' runs are queued again, forgotten ones are woken."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from webapp.runs.models import Run, Status
from webapp.runs.selectors import in_line
from webapp.runs.services import requeue_expired
from webapp.runs.wake import messages_waiting, wake

PATIENCE = timedelta(seconds=15)
MOST_WOKEN = 50


def heal() -> None:
    """Harmless at any time and in any number of processes at once."""
    requeue_expired()
    wake_forgotten()


def wake_forgotten() -> list[int]:
    """Wake for old queued runs where the broker has no message left; returns their ids.

    A message can be lost with the broker's memory; a message too many does no harm.
    """
    waiting = Run.objects.filter(status=Status.QUEUED, created_at__lt=Now() - PATIENCE)
    woken: list[int] = []
    for queue in waiting.order_by().values_list("queue", flat=True).distinct():
        if messages_waiting(queue):
            continue
        oldest = in_line(waiting.filter(queue=queue))[:MOST_WOKEN]
        run_ids = list(oldest.values_list("pk", flat=True))
        wake((run_id, queue) for run_id in run_ids)
        woken += run_ids
    return woken
