"""The lab's Celery app, whose workers write down when each executes what, whatever the database
says: `celery -A tests.faults.watched worker …`, to the file that WATCHED names."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from celery.signals import worker_process_init

from webapp.celery import app

__all__ = ["app"]

Executions = dict[str, list[tuple[float, float]]]
"""Of each run, when each of its executions began and ended."""


@worker_process_init.connect
def watch_the_pool(**_: object) -> None:
    if "WATCHED" in os.environ:
        watch(Path(os.environ["WATCHED"]))


def watch(file: Path) -> None:
    """From now on, write a line to `file` whenever this process begins or ends an execution."""
    from webapp.runs.recorder import Recorder

    begin, end = Recorder.__enter__, Recorder.__exit__

    def note(recorder: Recorder, what: str) -> None:
        with file.open("a") as lines:
            lines.write(f"{time.monotonic():.6f} {recorder.run_id} {recorder.attempt} {what}\n")

    def begun(recorder: Recorder) -> Recorder:
        note(recorder, "began")
        return begin(recorder)

    def ended(recorder: Recorder, *error: object) -> None:
        end(recorder, *error)
        note(recorder, "ended")

    Recorder.__enter__, Recorder.__exit__ = begun, ended


def executions(file: Path) -> Executions:
    """As the workers' processes saw them; each that began must have ended."""
    open_since: dict[tuple[str, str], float] = {}
    found: Executions = defaultdict(list)
    for line in file.read_text().splitlines():
        moment, run, attempt, what = line.split()
        if what == "began":
            open_since[run, attempt] = float(moment)
        else:
            found[run].append((open_since.pop((run, attempt)), float(moment)))
    assert not open_since, f"never ended: {open_since}"
    return found


def at_the_same_time(found: Executions) -> int:
    """Executions of a run that began before the one before had ended."""
    return sum(
        later[0] < earlier[1]
        for each in found.values()
        for earlier, later in pairwise(sorted(each))
    )
