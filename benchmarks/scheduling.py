"""The lab's own claiming of runs, in Postgres, under arrivals and workers that are simulated.

    python -m benchmarks.scheduling --workers 1000 --runs 100000 [--claims 20000] [--out FILE]

Starts a Postgres and a broker of its own and fills them: 40 people, of whom the first launched half
of all runs, the second a quarter and so on; durations around a minute, memory from 0.1 to 12 GB, a
tenth of low and a fiftieth of high priority. Four workers in five have 4 GB, the others 16 GB. The
clock is virtual: a worker that is free claims by `claim_next`, as a real one does, and is free
again when the run's duration has passed; ten people launch their first 50 runs when a third of the
claims is done. The end of a run is a plain update, with the charge to its owner's account.

Milliseconds are those of a claim by the clock of this machine; waits are those of the virtual one.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.lab_process import remove_home
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import Home

PEOPLE, LATE, THEIRS = 40, 10, 50
MEAN_SECONDS = 60.0
GB = 10**9
BEGIN = datetime(2026, 11, 30, 1, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scheduling")
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=100_000, help="that wait at the beginning")
    parser.add_argument("--claims", type=int, default=20_000, help="at most (20000)")
    parser.add_argument("--out", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    home = Home(Path(tempfile.mkdtemp(prefix="lab-bench-")))
    home.prepare()
    services = EmbeddedServices(home)
    try:
        os.environ.update(services.start())
        os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings.test"
        prepare(options.workers)
        simulation = Simulation(options.workers, options.runs)
        figures = simulation.run(options.claims)
    finally:
        services.stop()
        remove_home(home)
    print(json.dumps(figures, indent=1))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def prepare(workers: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    from webapp.accounts.models import User
    from webapp.workers.models import Worker

    User.objects.bulk_create(User(username=f"person {index}") for index in range(PEOPLE))
    Worker.objects.bulk_create(
        Worker(
            name=f"worker {index}",
            device="simulated",
            memory_bytes=(16 if index % 5 == 0 else 4) * GB,
            heartbeat_at=timezone.now(),
        )
        for index in range(workers)
    )


class Simulation:
    """`now` is the virtual clock; `free` says when each worker is free."""

    def __init__(self, workers: int, runs: int) -> None:
        from webapp.accounts.models import User

        self.draw = random.Random(7)  # noqa: S311 (drawn for a benchmark)
        self.people = list(User.objects.order_by("pk"))
        self.seconds: dict[int, float] = {}
        self.launched: dict[int, datetime] = {}
        self.waits: dict[int, list[float]] = defaultdict(list)
        self.received: dict[int, float] = defaultdict(float)
        self.milliseconds: list[float] = []
        self.workers = workers
        self.free = [(BEGIN, f"worker {index}") for index in range(workers)]
        self.held: dict[str, Any] = {}
        self.large_taken: list[float] = []
        early = self.people[:-LATE]
        owners = self.draw.choices(early, [0.5**rank for rank in range(len(early))], k=runs)
        # Everybody who is early waits for something.
        owners[: len(early)] = early
        self.launch(owners, BEGIN)
        self.vacuum()

    def launch(self, owners: list[Any], now: datetime) -> None:
        from webapp.experiments.models import Experiment
        from webapp.runs.models import Priority, Run

        experiments = {
            owner.pk: Experiment.objects.create(owner=owner, name="simulated", spec={})
            for owner in set(owners)
        }
        rows = []
        for number, owner in enumerate(owners):
            large = self.draw.random() < 0.1
            seconds = self.draw.expovariate(1 / MEAN_SECONDS)
            rows.append(
                Run(
                    experiment=experiments[owner.pk],
                    owner=owner,
                    number=number,
                    label="simulated",
                    configuration="0",
                    estimator="unrolled",
                    seed=0,
                    spec={},
                    colour=0,
                    total_steps=1,
                    stands_at=now + timedelta(microseconds=number),
                    needs_bytes=int(self.draw.uniform(4.1, 12) * GB if large else GB / 10),
                    expected_seconds=seconds * self.draw.lognormvariate(0, 0.5),
                    priority=self.draw.choices(
                        [Priority.LOW, Priority.NORMAL, Priority.HIGH], [10, 88, 2]
                    )[0],
                )
            )
        for run in Run.objects.bulk_create(rows, batch_size=2_000):
            self.seconds[run.pk] = self.draw.expovariate(1 / MEAN_SECONDS)
            self.launched[run.pk] = now

    def vacuum(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def run(self, claims: int) -> dict[str, Any]:
        from webapp.runs.models import Run, Status

        queued = Run.objects.filter(status=Status.QUEUED).count()
        late = False
        began = time.perf_counter()
        heapq.heapify(self.free)
        while self.free and len(self.milliseconds) < claims:
            now, worker = heapq.heappop(self.free)
            self.end(worker, now)
            self.claim(worker, now)
            if not late and len(self.milliseconds) * 3 >= min(claims, queued):
                late = True
                self.launch(self.people[-LATE:] * THEIRS, now)
        return self.figures(queued, now, time.perf_counter() - began)

    def claim(self, worker: str, now: datetime) -> None:
        from webapp.scheduling.claiming import claim_next

        began = time.perf_counter()
        run = claim_next(worker=worker, queue="cpu", now=now)
        if run is None:
            return  # nothing waits that fits it; in this simulation then nothing ever will
        self.milliseconds.append(1e3 * (time.perf_counter() - began))
        self.held[worker] = run
        self.waits[run.owner_id].append((now - self.launched[run.pk]).total_seconds())
        if run.needs_bytes > 4 * GB:
            self.large_taken.append(self.waits[run.owner_id][-1])
        heapq.heappush(self.free, (now + timedelta(seconds=self.seconds[run.pk]), worker))

    def end(self, worker: str, now: datetime) -> None:
        from django.db import transaction

        from webapp.runs.models import Run, Status
        from webapp.scheduling import usage

        run = self.held.pop(worker, None)
        if run is None:
            return
        with transaction.atomic():
            Run.objects.filter(pk=run.pk).update(
                status=Status.FINISHED, lease_until=None, worker="", finished_at=now
            )
            usage.charge(run.pk, now=now)
        self.received[run.owner_id] += self.seconds[run.pk]

    def figures(self, queued: int, now: datetime, seconds: float) -> dict[str, Any]:
        from webapp.runs.models import Priority, Run, Status

        waiting = Run.objects.filter(status=Status.QUEUED)
        # Whoever waits with low runs alone, or with such as few workers can take, had their share.
        usual = waiting.filter(priority=Priority.NORMAL, needs_bytes__lt=GB)
        backlog = set(usual.values_list("owner_id", flat=True))
        shares = [
            self.received[person.pk] for person in self.people[:-LATE] if person.pk in backlog
        ]
        firsts = [self.waits[person.pk][0] for person in self.people if self.waits[person.pk]]
        late = [self.waits[person.pk][0] for person in self.people[-LATE:] if self.waits[person.pk]]
        ordered = sorted(self.milliseconds)
        return {
            "workers": self.workers,
            "queued": queued,
            "claims": len(ordered),
            "claim_ms_median": round(statistics.median(ordered), 2),
            "claim_ms_95": round(ordered[int(0.95 * len(ordered))], 2),
            "claim_ms_most": round(ordered[-1], 1),
            "still_waiting": waiting.count(),
            "virtual_seconds": round((now - BEGIN).total_seconds()),
            "people_with_backlog": len(shares),
            "jain_index": round(sum(shares) ** 2 / (len(shares) * sum(s * s for s in shares)), 4)
            if shares
            else None,
            "people_served": len(firsts),
            "people": len(self.people),
            "first_wait_s_most": round(max(firsts), 1),
            "latecomers_first_wait_s_median": round(statistics.median(late), 1) if late else None,
            "large_runs_taken": len(self.large_taken),
            "claims_a_second_with_ends": round(len(ordered) / seconds),
        }


if __name__ == "__main__":
    main()
