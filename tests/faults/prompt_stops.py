"""Who asks a run to stop does not wait: cancelling it, and shutting its worker down."""

from __future__ import annotations

import random
import time
from statistics import median

from tests.faults.killed_workers import LONG
from tests.faults.loose_lab import LooseLab, launched, wait_until
from tests.faults.proof import Figure
from tests.faults.truth import computed, recorded

CANCELS = {"quick": 6, "slow": 3}
BOUND_SECONDS = 2.0
QUICK = {**LONG, "outer": {**LONG["outer"], "steps": 50_000}}
SLOW = {**LONG, "inner": {"steps": 100_000}, "outer": {**LONG["outer"], "steps": 10_000}}
"""Its outer steps take about a second."""


def prompt_cancel(lab: LooseLab, chance: random.Random) -> dict[str, Figure]:
    """A run is cancelled within 2 s of the end of its outer step."""
    from webapp.accounts.models import User
    from webapp.runs.models import Run, Status
    from webapp.runs.services import request_cancel

    ada = User.objects.get(username="ada")
    lab.ready_worker()
    figures: dict[str, Figure] = {}
    for kind, spec in {"quick": QUICK, "slow": SLOW}.items():
        taken, steps = [], []
        for _ in range(CANCELS[kind]):
            run = launched(**spec)[0]

            def fresh(run_id: int = run.pk) -> Run:
                return Run.objects.get(pk=run_id)

            wait_until(lambda run=fresh: run().sequence >= 2, what="it runs")
            time.sleep(chance.random())
            asked_at = time.monotonic()
            request_cancel(user=ada, run=run)
            wait_until(lambda run=fresh: run().has_ended, every=0.01, what="cancelled")
            taken.append(time.monotonic() - asked_at)
            assert fresh().status == Status.CANCELLED
            steps.append(_longest_step(run.pk))
        figures[f"{kind} outer steps, the longest of {CANCELS[kind]} runs"] = max(steps)
        figures[f"asking to cancelled, {kind} outer steps, median"] = median(taken)
        figures[f"asking to cancelled, {kind} outer steps, longest"] = max(taken)
        assert all(took < BOUND_SECONDS + step for took, step in zip(taken, steps, strict=True))
    lab.stop_workers()
    return figures


def _longest_step(run_id: int) -> float:
    """Seconds of the run's longest outer step, as it measured itself, after the first, which
    compiles the inner loop of so long a run."""
    from webapp.runs.selectors import series

    _, seconds = series([run_id], names=["step_seconds"])[run_id]["step_seconds"]
    return float(seconds[1:].max())


def graceful_shutdown(lab: LooseLab, chance: random.Random) -> dict[str, Figure]:
    """A worker that is told to stop leaves a checkpoint of the last outer step, and the run."""
    from webapp.runs.models import Run, Status

    # Only what is taken because of the shutdown: no other checkpoint comes before.
    lab.ready_worker(CHECKPOINT_SECONDS="3600")
    run = launched(**LONG)[0]

    def fresh() -> Run:
        return Run.objects.get(pk=run.pk)

    moment = chance.randrange(20, 120)
    wait_until(lambda: fresh().sequence > moment, what="it runs")
    (child,) = lab.workers.values()
    asked_at = time.monotonic()
    child.ask_to_stop()
    wait_until(lambda: fresh().status == Status.QUEUED, every=0.01, what="it waits again")
    released_after = time.monotonic() - asked_at
    left = fresh()
    assert (left.checkpoint_step, left.times_lost) == (left.sequence, 0), "no step is lost"
    child.wait(seconds=30)
    gone_after = time.monotonic() - asked_at
    lab.children.forget(child)
    lab.workers.clear()
    lab.start_worker()
    wait_until(lambda: fresh().has_ended, what="another worker ends it")
    lab.stop_workers()
    assert fresh().resumes == [[2, left.sequence]]
    assert recorded(run.pk) == computed(run.spec)
    return {
        "SIGTERM to the run's release": released_after,
        "SIGTERM to the worker's end": gone_after,
        "outer steps computed again": 0,
    }
