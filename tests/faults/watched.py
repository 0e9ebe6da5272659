"""The lab's Celery app, whose workers write down when each executes what: an eye beside the database.

`celery -A tests.faults.watched worker …`; lines of `moment run attempt began|ended` go to WATCHED.
"""

from __future__ import annotations

import os
import time

from celery.signals import worker_process_init

from webapp.celery import app

__all__ = ["app"]


@worker_process_init.connect
def watch(**_: object) -> None:
    """In the pool's process: around each execution, whatever the database says of it."""
    from webapp.runs.recorder import Recorder

    begin, end = Recorder.__enter__, Recorder.__exit__

    def note(recorder: Recorder, what: str) -> None:
        line = f"{time.clock_gettime(time.CLOCK_MONOTONIC):.6f} {recorder.run_id} "
        with open(os.environ["WATCHED"], "a") as file:
            file.write(f"{line}{recorder.attempt} {what}\n")

    def begun(recorder: Recorder) -> Recorder:
        note(recorder, "began")
        return begin(recorder)

    def ended(recorder: Recorder, *error: object) -> None:
        end(recorder, *error)
        note(recorder, "ended")

    Recorder.__enter__, Recorder.__exit__ = begun, ended
