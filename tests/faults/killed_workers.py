"""Workers killed by SIGKILL at random moments of their runs: the series stay bit for bit."""

from __future__ import annotations

import random
import time
from datetime import timedelta

from tests.faults.loose_lab import LooseLab, launched, wait_until
from tests.faults.proof import Figure
from tests.faults.truth import computed, doubled_or_missing, recorded

KILLS, KILLS_A_RUN = 20, 2
"""A run that loses three workers fails, so two kills at most are survived."""
STEPS = 400
# An outer step of some milliseconds: a run lasts long enough to be met at a given moment of it.
LONG = {
    "inner": {"steps": 60},
    "outer": {"steps": STEPS, "optimizer": {"kind": "sgd", "learning_rate": 0.0001}},
    "probes": {"every": 50},
    "estimators": [{"kind": "unrolled"}],
    "seeds": [5],
}


def killed_workers(
    lab: LooseLab, chance: random.Random, *, kills: int = KILLS
) -> dict[str, Figure]:
    """Killed at random moments, a run's series equal the uninterrupted one's, bit for bit."""
    from webapp.runs.models import Run, Status

    for _ in range(2):
        lab.start_worker(CHECKPOINT_SECONDS="1")
    runs = [launched(**LONG)[0] for _ in range(-(-kills // KILLS_A_RUN))]
    plan = {run.pk: _moments(chance) for run in runs}
    killed, rewound = [], 0
    mine = Run.objects.filter(pk__in=plan)
    while mine.exclude(status=Status.FINISHED).exists():
        failed = mine.filter(status__in=(Status.FAILED, Status.PAUSED)).first()
        assert failed is None, failed.error
        for run in mine.filter(status=Status.RUNNING):
            moments = plan[run.pk]
            if not moments or run.sequence < moments[0]:
                continue
            time.sleep(chance.random() * 0.03)
            name = run.worker.partition("@")[0]
            if name not in lab.workers or not _still_has(name, run):
                continue
            moments.pop(0)
            lab.kill_worker(name)
            if _end_the_lease(run):
                killed.append(Run.objects.get(pk=run.pk).sequence)
            lab.start_worker(CHECKPOINT_SECONDS="1")
        time.sleep(0.005)
    lab.stop_workers()
    expected = computed(runs[0].spec)
    for run in mine:
        rewound += sum(step > 0 for _, step in run.resumes)
        assert recorded(run.pk) == expected, f"run {run.pk} differs"
        assert doubled_or_missing(run.pk) == 0
    assert len(killed) >= kills - 1, f"only {len(killed)} of {kills} kills met a run"
    return {
        "kills": len(killed),
        "runs": len(runs),
        "points of a run": STEPS,
        "of them when killed": ", ".join(map(str, sorted(killed))),
        "resumed from a checkpoint": rewound,
        "points missing, doubled or different": 0,
    }


def _moments(chance: random.Random) -> list[int]:
    """Outer steps at which this run's worker is killed, a few milliseconds later."""
    return sorted(chance.sample(range(1, STEPS - 40), KILLS_A_RUN))


def _still_has(worker: str, run) -> bool:
    """Else a kill would meet the run that this worker took next, which has its own two."""
    from webapp.runs.models import Run, Status

    return Run.objects.filter(
        pk=run.pk, status=Status.RUNNING, attempt=run.attempt, worker__startswith=f"{worker}@"
    ).exists()


def _end_the_lease(run) -> bool:
    """Instead of waiting for half a minute, 20 times; what that takes is measured by itself."""
    from django.db.models.functions import Now

    from webapp.runs.models import Run, Status
    from webapp.runs.services import requeue_expired

    held = Run.objects.filter(pk=run.pk, status=Status.RUNNING, attempt=run.attempt)
    if not held.update(lease_until=Now() - timedelta(seconds=1)):
        return False
    wait_until(lambda: requeue_expired() or not held.exists(), seconds=10, what="queued again")
    return True
