"""What an attempt took of a worker goes to its owner's account of the day."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

_CHARGE = """
INSERT INTO scheduling_usage (owner_id, day, queue, seconds)
SELECT owner_id, (clock.now AT TIME ZONE 'UTC')::date, queue,
       greatest(0, extract(epoch FROM clock.now
                           - greatest(claimed_at, date_trunc('day', clock.now, 'UTC'))))
FROM runs_run, (SELECT coalesce(%(now)s::timestamptz, now()) AS now) AS clock
WHERE id = %(run_id)s AND claimed_at IS NOT NULL AND owner_id IS NOT NULL
ON CONFLICT (owner_id, day, queue) DO UPDATE
    SET seconds = scheduling_usage.seconds + excluded.seconds
"""
_ADD = """
INSERT INTO scheduling_usage (owner_id, day, queue, seconds)
VALUES (%(owner_id)s, (now() AT TIME ZONE 'UTC')::date, %(queue)s, %(seconds)s)
ON CONFLICT (owner_id, day, queue) DO UPDATE
    SET seconds = scheduling_usage.seconds + excluded.seconds
"""


def charge(run_id: int, now: datetime | None = None) -> None:
    """Count the attempt of run `run_id` that ends now, as far as it was today; `now` is another
    time than the database's. Call it once, in the transaction that ends it."""
    with connection.cursor() as cursor:
        cursor.execute(_CHARGE, {"run_id": run_id, "now": now})


def add(*, owner_id: int, queue: str, seconds: float) -> None:
    """Count what a worker did for a run that another one has."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {"owner_id": owner_id, "queue": queue, "seconds": seconds})
