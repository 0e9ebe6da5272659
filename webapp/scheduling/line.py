"""Who is next: the order of the runs that wait in a queue.

1. what an admin put first, the newest of these before;
2. the runs of people within their daily compute: by priority; then by how much compute their
   owner has used today, who has used least first; then by age;
3. those of people past it, in the same order;
4. what an admin put last.

Who has used least is max-min fairness (Bertsekas and Gallager, 1992, section 6.5.2) of the day's
compute: whoever asks for less than an equal share gets it at once, and the others come out even.
The day ends at midnight UTC, when everybody begins at nothing again, so that nobody pays for
longer than that. A run that is going counts for what it took, and at least for what it is expected
to take, so that many free slots are shared too.

Size does not change a run's place. A slot passes over a run only where that needs more memory than
the slot has, so small runs never take a slot for which a large one is next: the first slot that is
large enough takes it. A run of which nobody knows what it needs waits a while for its forecast
first (`webapp.scheduling.claiming`), and one that could not begin is passed over for a while
(`webapp.scheduling.backoff`). Nothing starves: the day evens out among people, age among the
runs of one priority of a person, and what is low or last becomes normal after a day (`age`).
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection
from django.db.models.functions import Now

from webapp.runs.models import Priority, Run, Status

UNKNOWN_SECONDS = 60.0
"""What a run of unknown duration is expected to take."""
PATIENCE = timedelta(days=1)
"""After which what is low or last is normal."""

_FIRST_OF_EVERYBODY = """
WITH clock AS (
    SELECT now, date_trunc('day', now, 'UTC') AS midnight, (now AT TIME ZONE 'UTC')::date AS day
    FROM (SELECT coalesce(%(now)s::timestamptz, now()) AS now) AS given
), going AS (
    SELECT owner_id, count(*) AS runs,
           sum(greatest(extract(epoch FROM clock.now - greatest(claimed_at, clock.midnight)),
                        coalesce(expected_seconds, %(unknown)s)))
               FILTER (WHERE queue = %(queue)s) AS seconds
    FROM runs_run, clock WHERE status = 'running' GROUP BY owner_id
), put_off AS (
    SELECT coalesce(array_agg(run_id), '{}') AS runs
    FROM scheduling_backoff, clock WHERE until > now
)
SELECT head.id, person.id, head.priority, head.stands_at, head.needs_bytes, head.expected_seconds,
       head.sequence, coalesce(used.seconds, 0) + coalesce(going.seconds, 0),
       coalesce(going.runs, 0),
       coalesce(own.runs_at_once, lab.runs_at_once),
       CASE %(queue)s WHEN 'gpu' THEN coalesce(own.gpu_seconds, lab.gpu_seconds)
                      ELSE coalesce(own.cpu_seconds, lab.cpu_seconds) END,
       coalesce(backoff.reason, '')
FROM accounts_user person
CROSS JOIN clock
CROSS JOIN put_off
LEFT JOIN going ON going.owner_id = person.id
LEFT JOIN scheduling_usage used
       ON used.owner_id = person.id AND used.day = clock.day AND used.queue = %(queue)s
LEFT JOIN scheduling_quota own ON own.person_id = person.id
LEFT JOIN scheduling_quota lab ON lab.person_id IS NULL
CROSS JOIN LATERAL (
    SELECT id, priority, stands_at, needs_bytes, expected_seconds, sequence FROM runs_run
    WHERE status = 'queued' AND queue = %(queue)s AND owner_id = person.id
      AND (%(put_off_too)s OR id <> ALL (put_off.runs))
      AND CASE WHEN needs_bytes IS NOT NULL THEN needs_bytes <= %(room)s
               WHEN forecast_given_up THEN %(unknown_after)s < 'infinity'
               ELSE extract(epoch FROM clock.now - stands_at) >= %(unknown_after)s END
    ORDER BY priority DESC, stands_at, id LIMIT %(each)s
) head
LEFT JOIN scheduling_backoff backoff ON backoff.run_id = head.id AND backoff.until > clock.now
"""
"""Of every person the first in line, by the index `run_in_line`; with what they use and may."""
_ALL_THE_ROOM = 2**62


@dataclass(frozen=True)
class Waiting:
    """A run that waits, and how its owner stands."""

    run_id: int
    owner_id: int
    priority: int
    stands_at: datetime
    needs_bytes: int | None
    expected_seconds: float | None
    sequence: int
    """Points that it has already."""
    used_seconds: float
    """By its owner, of this queue, today."""
    going: int
    """Runs of its owner that workers have now."""
    most_at_once: int | None
    seconds_a_day: int | None
    put_off: str
    """Why nobody may take it yet, though its turn may have come; empty where somebody may."""

    @property
    def is_held(self) -> bool:
        """Whether its owner has as many runs going as they may."""
        return self.most_at_once is not None and self.going >= self.most_at_once

    @property
    def is_over(self) -> bool:
        """Whether its owner has used what they may today."""
        return self.seconds_a_day is not None and self.used_seconds >= self.seconds_a_day

    @property
    def place(self) -> tuple:
        """Less is earlier."""
        age = (self.stands_at, self.run_id)
        if self.is_held or self.put_off:
            return (4, 0, 0.0, *age)
        if self.priority == Priority.FIRST:
            return (0, 0, 0.0, *age)
        if self.priority == Priority.LAST:
            return (3, 0, 0.0, *age)
        return (1 + self.is_over, -self.priority, self.used_seconds, *age)

    @property
    def seconds(self) -> float:
        return UNKNOWN_SECONDS if self.expected_seconds is None else self.expected_seconds


def first_in_line(
    queue: str,
    *,
    room: float = math.inf,
    unknown_after: float = -math.inf,
    now: datetime | None = None,
) -> Waiting | None:
    """The run that a slot with `room` bytes takes next; None where none waits for it. One whose
    needs nobody knows counts once it has stood in line for `unknown_after` seconds, or at once
    where no forecast of it will come; never where that is infinite."""
    runs = _everybodys(queue, 1, room, unknown_after, now, put_off_too=False)
    found = min(runs, key=lambda run: run.place, default=None)
    return None if found is None or found.is_held else found


def whole_line(queue: str, *, most: int, now: datetime | None = None) -> list[Waiting]:
    """The first `most` runs in the order in which they will be taken, as far as is known now."""
    waiting = _everybodys(queue, most, math.inf, -math.inf, now, put_off_too=True)
    return list(_in_turn(waiting, most))


def age(now: datetime | None = None) -> int:
    """Make normal what has been low, or last, for a day; returns how many."""
    waiting = Run.objects.filter(
        status=Status.QUEUED,
        priority__lt=Priority.NORMAL,
        stands_at__lt=(now or Now()) - PATIENCE,
    )
    return waiting.update(priority=Priority.NORMAL)


def _everybodys(
    queue: str,
    each: int,
    room: float,
    unknown_after: float,
    now: datetime | None,
    *,
    put_off_too: bool,
) -> list[Waiting]:
    values = {
        "queue": queue,
        "each": each,
        "room": int(min(room, _ALL_THE_ROOM)),
        "unknown_after": unknown_after,
        "now": now,
        "put_off_too": put_off_too,
        "unknown": UNKNOWN_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_OF_EVERYBODY, values)
        return [Waiting(*row) for row in cursor.fetchall()]


def _in_turn(waiting: Iterable[Waiting], most: int) -> Iterator[Waiting]:
    """Each as its turn comes: whoever's run is taken has then used what that is expected to."""
    queues: dict[int, list[Waiting]] = defaultdict(list)
    for run in sorted(waiting, key=lambda run: run.place):
        queues[run.owner_id].append(run)
    rest = {owner: iter(runs) for owner, runs in queues.items()}
    heap = [(head.place, head) for owner in rest if (head := next(rest[owner]))]
    heapq.heapify(heap)
    while heap and most:
        _, taken = heapq.heappop(heap)
        yield taken
        most -= 1
        following = next(rest[taken.owner_id], None)
        if following is not None:
            following = replace(following, used_seconds=taken.used_seconds + taken.seconds)
            heapq.heappush(heap, (following.place, following))
