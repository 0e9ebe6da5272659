"""What a follower of a run has not seen yet, read from Postgres: the truth behind every hint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from webapp.live import messages
from webapp.live.messages import Message
from webapp.runs import chunks, selectors
from webapp.runs.models import Run

POINTS_IN_A_MESSAGE = 1_000
POINTS_IN_A_READ = 5_000


@dataclass(frozen=True)
class Cursor:
    """What a follower has: points 1 to `sequence`, as attempt `attempt` showed them."""

    sequence: int = 0
    attempt: int = 1
    """Where it is unknown, the first attempt: at worst a few points are sent once more."""
    told: tuple = ()
    """The state that it was told last."""


@dataclass(frozen=True)
class News:
    """Messages that bring a follower from one cursor to the next."""

    messages: list[Message]
    cursor: Cursor
    complete: bool
    """Whether the follower then has everything that was committed when it was read."""


def news(run: Run, cursor: Cursor) -> News:
    """What `cursor` lacks of `run` (freshly read), at most `POINTS_IN_A_READ` points of it.

    The caller asks again until it is complete.
    """
    found: list[Message] = []
    sequence, attempt = _still_valid(run, cursor), max(run.attempt, 1)
    # Where nothing is to be forgotten, it still says whose the points are from now on.
    if (sequence, attempt) != (cursor.sequence, cursor.attempt):
        found.append(messages.rewind(run_id=run.pk, attempt=run.attempt, sequence=sequence))
    told = (
        run.attempt, run.status, run.cancel_requested, run.pause_requested, run.checkpoint_step,
        run.sequence, run.picture_changes, run.error,
    )  # fmt: skip
    if told != cursor.told:
        found.append(messages.state(run))
    last = min(run.sequence, sequence + POINTS_IN_A_READ)
    found += points_between(run, sequence, last)
    return News(
        messages=found,
        cursor=Cursor(sequence=last, attempt=attempt, told=told),
        complete=last == run.sequence,
    )


def back_fill(run: Run, cursor: Cursor) -> Message:
    """One "points" message over HTTP, with the run's `sequence` and `status`.

    Its `first` is where the follower's own points end: after a rewind, before its `sequence`.
    """
    after = _still_valid(run, cursor)
    last = min(run.sequence, after + POINTS_IN_A_READ)
    series = selectors.series([run.pk], after=after, up_to=last).get(run.pk, {})
    message = messages.points(
        run_id=run.pk, attempt=run.attempt, first=after + 1, last=last, series=series
    )
    return {**message, "sequence": run.sequence, "status": run.status}


def points_between(run: Run, after: int, last: int) -> Iterator[Message]:
    """The points past `after` up to `last`, in messages of bounded size."""
    if last <= after:
        return
    series = selectors.series([run.pk], after=after, up_to=last).get(run.pk, {})
    for start in range(after, last, POINTS_IN_A_MESSAGE):
        yield messages.points(
            run_id=run.pk,
            attempt=run.attempt,
            first=start + 1,
            last=min(start + POINTS_IN_A_MESSAGE, last),
            series=series,
        )


def _still_valid(run: Run, cursor: Cursor) -> int:
    """How many of the follower's points are still the run's: a resumed run rewrites its tail."""
    sequence = min(cursor.sequence, run.sequence)
    if cursor.attempt == run.attempt or not sequence:
        return sequence
    return chunks.kept_from(run_id=run.pk, attempt=cursor.attempt, sequence=sequence)
