"""What a whole experiment takes, on the workers that live now, behind what waits already."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.forecasts.answers import Answer
from webapp.forecasts.remaining import (
    NONE,
    Remaining,
    Seconds,
    forecasts_of,
    remaining_of_all,
    seconds_by_number,
)
from webapp.runs.models import Run, Status
from webapp.workers.selectors import of_queue


@dataclass(frozen=True)
class Totals:
    runs: int
    seconds: Seconds | None
    """From its first run's beginning to its last one's end; nothing where not all are known."""
    wait: Remaining | None
    """Until its first run begins; nothing where no worker is there to take it."""
    run_bytes: int
    disk_bytes: float


def totals_of(answer: Answer, queue: str) -> Totals:
    """Two queries more than the runs of `queue` that have not ended."""
    slots = sum(worker.slots for worker in of_queue(queue))
    known = seconds_by_number(answer)
    runs = sum(len(item.runs) for item in answer.configurations)
    whole = None
    if len(known) == runs and known and slots and not answer.left_out:
        whole = _side_by_side(list(known.values()), slots)
    return Totals(
        runs=runs,
        seconds=whole,
        wait=_wait(queue, slots) if slots else None,
        run_bytes=answer.run_bytes,
        disk_bytes=answer.disk_bytes,
    )


def _side_by_side(runs: list[Seconds], slots: int) -> Seconds:
    """At least the longest run, and at least what all take over all slots."""
    shared = sum(runs, NONE) / min(slots, len(runs))
    return Seconds(
        max(shared.expected, *(run.expected for run in runs)),
        max(shared.low, *(run.low for run in runs)),
        max(shared.high, *(run.high for run in runs)),
    )


def _wait(queue: str, slots: int) -> Remaining:
    """Until a slot is free: none while there are fewer runs than slots."""
    active = Run.objects.filter(queue=queue, status__in=[Status.QUEUED, Status.RUNNING])
    runs = list(active.defer("spec", "summary"))
    if len(runs) < slots:
        return Remaining(NONE, 0)
    left = remaining_of_all(runs, forecasts_of(runs))
    return Remaining(left.seconds / slots, left.unknown)
