"""A worker takes the run whose turn it is.

Claims go one after the other, by a lock of Postgres' that lasts for the claim's transaction: each
sees what the one before it did, so the order is exact, and what a person may have going in all
queues together, whatever the number of workers (benchmarks/README.md says what that costs).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Count

from webapp.forecasts.services import worker_is_there
from webapp.runs import services
from webapp.runs.models import Run, Status
from webapp.scheduling.line import Waiting, first_in_line
from webapp.workers.models import Worker
from webapp.workers.selectors import of_queue

FORECAST_SECONDS = 30.0
"""For so long a run of which nobody knows what it needs waits for the forecast worker, which takes
no longer for what all runs of a spec need; not at all where no forecast will come. Then the largest
idle slot takes it."""


def room_of(worker: Worker) -> float:
    """Bytes that a run may need here; without bound where the worker's memory is not known."""
    return worker.run_bytes or math.inf


def next_for(worker: str, queue: str, now: datetime | None = None) -> Waiting | None:
    """The run that `worker` takes next from `queue`. None where nothing waits that fits it, where
    it is paused, or has not reported yet: what it has is not known then."""
    known = Worker.objects.filter(name=worker, paused=False).first()
    if known is None:
        return None
    room = room_of(known)
    following = first_in_line(queue, room=room, now=now)
    if following is None or following.needs_bytes is not None:
        return following
    # Rare, and looked into only then: every claim comes here.
    after = _takes_unknown_after(known, queue)
    return first_in_line(queue, room=room, unknown_after=after, now=now)


def _takes_unknown_after(worker: Worker, queue: str) -> float:
    """Seconds that a run of which nobody knows what it needs stands in line before `worker` takes
    it; infinite while a larger slot is idle."""
    larger = [other for other in of_queue(queue) if room_of(other) > room_of(worker)]
    if any(free_slots(larger).values()):
        return math.inf
    return FORECAST_SECONDS if worker_is_there() else -math.inf


def free_slots(workers: Iterable[Worker]) -> dict[str, int]:
    """How many slots of each worker, by its name, have no run; one query."""
    slots = {worker.name: worker.slots for worker in workers}
    running = Run.objects.filter(status=Status.RUNNING, worker__in=slots)
    taken = dict(running.values_list("worker").annotate(Count("pk")))
    return {name: max(0, count - taken.get(name, 0)) for name, count in slots.items()}


def claim_next(*, worker: str, queue: str, now: datetime | None = None) -> Run | Waiting | None:
    """Take the next run for `worker`: the run, held by it. One that has been at work before is only
    named (`Waiting`): whoever takes it must know its checkpoint first (`claim_in_turn`)."""
    with transaction.atomic():
        _one_at_a_time()
        following = next_for(worker, queue, now)
        if following is None or following.sequence:
            return following
        return services.claim(run_id=following.run_id, worker=worker, now=now)


def claim_in_turn(*, queue: str, run_id: int, worker: str, resume_from: int) -> Run | None:
    """Take run `run_id` for `worker`, with its first `resume_from` points; None where it is not, or
    no longer, its turn: while its checkpoint was read, others went on."""
    with transaction.atomic():
        _one_at_a_time()
        following = next_for(worker, queue)
        if following is None or following.run_id != run_id:
            return None
        return services.claim(run_id=run_id, worker=worker, resume_from=resume_from)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('claims'))")
