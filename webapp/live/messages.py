"""What the server says about runs, over the websocket and in the HTTP back-fill alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from django.utils import timezone

from webapp.runs.chunks import Arrays
from webapp.runs.models import Run, Status

Message = dict[str, Any]

HEARTBEAT: Message = {"type": "heartbeat"}


def points(
    *, run_id: int, attempt: int, first: int, last: int, series: dict[str, Arrays]
) -> Message:
    """The points with sequences `first` to `last`; `series` holds their entries and may be sparse.

    An empty range (`last` = `first` − 1) says that there is nothing new.
    """
    return {
        "type": "points",
        "run": run_id,
        "attempt": attempt,
        "first": first,
        "last": last,
        "series": {name: _entries(arrays, first, last) for name, arrays in series.items()},
    }


def _entries(arrays: Arrays, first: int, last: int) -> list[list]:
    steps, values = arrays
    start, end = np.searchsorted(steps, (first - 1, last))
    return [steps[start:end].tolist(), encoded(values[start:end])]


def encoded(values: np.ndarray) -> list[float | str]:
    """`values` for JSON, which has no words for non-finite numbers: "nan", "inf", "-inf"."""
    numbers = values.tolist()
    for index in np.flatnonzero(~np.isfinite(values)):
        numbers[index] = str(numbers[index])
    return numbers


def state(run: Run, now: datetime | None = None) -> Message:
    """Where `run` stands; the seconds that remain are extrapolated from those that went by."""
    elapsed = run.seconds_worked(now or timezone.now())
    remaining = None
    if run.status == Status.RUNNING and run.step and elapsed is not None:
        remaining = elapsed / run.step * (run.total_steps - run.step)
    return {
        "type": "state",
        "run": run.pk,
        "attempt": run.attempt,
        "status": run.status,
        "words": run.status_words,
        "cancel_requested": run.cancel_requested,
        "pause_requested": run.pause_requested,
        "checkpoint_step": run.checkpoint_step,
        "step": run.step,
        "total_steps": run.total_steps,
        "sequence": run.sequence,
        "picture_changes": run.picture_changes,
        "elapsed_seconds": elapsed,
        "remaining_seconds": remaining,
        "error": run.error,
    }


def rewind(*, run_id: int, attempt: int, sequence: int) -> Message:
    """Forget the points past `sequence`: attempt `attempt` writes them anew."""
    return {"type": "rewind", "run": run_id, "attempt": attempt, "sequence": sequence}


def error(message: str, run_id: int | None = None) -> Message:
    """What the server refuses, in a sentence; names the run where it is about one."""
    return {"type": "error", "message": message} | ({} if run_id is None else {"run": run_id})
