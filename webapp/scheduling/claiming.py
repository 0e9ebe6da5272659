"""A worker takes the run whose turn it is.

Claims of a queue go one after the other, by a lock of Postgres' that lasts for the claim's
transaction: each sees what the one before it did, so the order is exact, whatever the number of
workers (benchmarks/README.md says what that costs).
"""

from __future__ import annotations

import math
from datetime import datetime

from django.db import connection, transaction

from webapp.runs import services
from webapp.runs.models import Run
from webapp.scheduling.line import Waiting, first_in_line
from webapp.workers.models import Worker


def room_of(worker: Worker) -> float:
    """Bytes that a run may need here; without bound where the worker's memory is not known."""
    return worker.run_bytes or math.inf


def next_for(worker: str, queue: str, now: datetime | None = None) -> Waiting | None:
    """The run that `worker` takes next from `queue`. None where nothing waits that fits it, where
    it is paused, or has not reported yet: what it has is not known then."""
    known = Worker.objects.filter(name=worker, paused=False).first()
    return known and first_in_line(queue, room=room_of(known), now=now)


def claim_next(*, worker: str, queue: str, now: datetime | None = None) -> Run | Waiting | None:
    """Take the next run for `worker`: the run, held by it. One that has been at work before is only
    named (`Waiting`): whoever takes it must know its checkpoint first."""
    with transaction.atomic():
        _one_at_a_time(queue)
        following = next_for(worker, queue, now)
        if following is None or following.sequence:
            return following
        return services.claim(run_id=following.run_id, worker=worker, now=now)


def _one_at_a_time(queue: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"line of {queue}"])
