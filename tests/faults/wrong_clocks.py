"""Workers whose clocks are an hour wrong, by libfaketime: leases go by the database's clock."""

from __future__ import annotations

import importlib.util
import random
import time
from pathlib import Path

from tests.faults.killed_workers import LONG
from tests.faults.loose_lab import LooseLab, launched, wait_until
from tests.faults.proof import Figure
from tests.faults.truth import computed, recorded

SECONDS_HELD = 12.0
"""Longer than a pulse of a worker that would take back what seems expired to it."""


def wrong_clock(shift: str) -> dict[str, str]:
    """The environment of a process whose clock is wrong by `shift`, such as +1h; only what it takes
    for the time of day: what it waits for is as long as ever."""
    package = importlib.util.find_spec("libfaketime")
    assert package is not None
    assert package.origin, "libfaketime is not installed"
    library = Path(package.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return {"LD_PRELOAD": str(library), "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def wrong_clocks(lab: LooseLab, chance: random.Random) -> dict[str, Figure]:
    """Workers an hour ahead and an hour behind keep what they hold, and take over what is lost."""
    from webapp.runs.models import Run

    late = lab.ready_worker(**wrong_clock("-1h"))
    run = launched(**{**LONG, "inner": {"steps": 20}, "outer": {**LONG["outer"], "steps": 6_000}})[
        0
    ]

    def fresh() -> Run:
        return Run.objects.get(pk=run.pk)

    wait_until(lambda: fresh().sequence > 20, what="the run goes on")
    early = lab.ready_worker(**wrong_clock("+1h"))
    time.sleep(SECONDS_HELD)
    held = fresh()
    assert (held.worker.partition("@")[0], held.attempt) == (late, 1), "nobody took it away"

    reached = held.sequence
    killed_at = time.monotonic()
    lab.kill_worker(late)
    wait_until(lambda: fresh().attempt == 2, seconds=60, what="taken over")
    taken_after = time.monotonic() - killed_at
    wait_until(lambda: fresh().sequence > reached, seconds=60, what="further than before")
    again_after = time.monotonic() - killed_at
    assert fresh().worker.partition("@")[0] == early
    _cut_short(run.pk)
    lab.stop_workers()
    ended = fresh()
    assert recorded(run.pk) == computed(run.spec, ended.sequence)
    return {
        "held in spite of the other clock": SECONDS_HELD,
        "kill -9 to the next attempt": taken_after,
        "kill -9 to new points": again_after,
        "attempts": ended.attempt,
    }


def _cut_short(run_id: int) -> None:
    """Enough is seen."""
    from webapp.accounts.models import User
    from webapp.runs.models import Run
    from webapp.runs.services import request_cancel

    run = Run.objects.get(pk=run_id)
    request_cancel(user=User.objects.get(username="ada"), run=run)
    wait_until(lambda: Run.objects.get(pk=run_id).has_ended, what="cancelled")
