"""When the runs that wait begin: whenever the first slot is free, in turn."""

from __future__ import annotations

import math

from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from webapp.forecasts.remaining import Seconds
from webapp.runs.models import Run, Status
from webapp.workers.models import Worker
from webapp.workers.queue_page import in_turn

seconds = st.none() | st.integers(1, 1000)


def exactly(number: int | None) -> Seconds | None:
    return None if number is None else Seconds(number, number, number)


def worker(slots: int, *, paused: bool = False) -> Worker:
    return Worker(
        name="cpu@host", queues="cpu", slots=slots, paused=paused, heartbeat_at=timezone.now()
    )


def begins(at_work: list[int | None], waiting: list[int | None], taking: Worker) -> list[float]:
    held = [Run(pk=n, status=Status.RUNNING, worker=taking.name) for n in range(len(at_work))]
    queued = [Run(pk=100 + n, status=Status.QUEUED) for n in range(len(waiting))]
    left = {run.pk: exactly(n) for run, n in zip(held + queued, at_work + waiting, strict=True)}
    return [item.begins_in for item in in_turn(queued, held, left, [taking], {})]


def test_two_slots_take_turns() -> None:
    assert begins([10, 30], [20, 8, 5], worker(2)) == [10, 30, 30]
    assert begins([], [20, 8, 5], worker(2)) == [0, 0, 8]
    assert begins([None], [20, 5], worker(1)) == [math.inf, math.inf]


def test_a_paused_worker_has_time_for_nobody() -> None:
    assert begins([], [20], worker(2, paused=True)) == [math.inf]


@given(
    slots=st.integers(1, 4),
    at_work=st.lists(seconds, max_size=4),
    waiting=st.lists(seconds, max_size=12),
)
def test_nobody_begins_before_who_stands_before_and_no_slot_has_two(
    slots, at_work, waiting
) -> None:
    at_work = at_work[:slots]
    times = begins(at_work, waiting, worker(slots))
    assert times == sorted(times)
    held = [(0.0, n) for n in at_work]
    lasting = [(t, n) for t, n in zip(times, waiting, strict=True) if t < math.inf]
    for moment in times:
        if moment < math.inf:
            going = [
                t for t, n in held + lasting if t <= moment < t + (math.inf if n is None else n)
            ]
            assert len(going) <= slots
