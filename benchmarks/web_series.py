"""Server time of a long run's series.

    python -m benchmarks.web_series [--steps 100000] [--series 10] [--rounds 7]

Starts a Postgres and a broker of its own in a temporary folder, records a run of so many outer
steps with so many series (a million values), as a running run has them and packed as those of an
ended one, and asks for them as a page does, without a network. Milliseconds: the median and the
slowest of the rounds after a first one, and how long the web's process had a CPU for it: what
else runs on the machine is left out of that, and so is Postgres.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.lab_process import remove_home
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import Home

FLUSH = 5
"""Points in a flush of a run that makes twenty points a second."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_series")
    parser.add_argument("--steps", type=int, default=100_000, help="outer steps (100000)")
    parser.add_argument("--series", type=int, default=10, help="series of each step (10)")
    parser.add_argument("--rounds", type=int, default=7, help="times that each is asked for (7)")
    options = parser.parse_args()
    home = Home(Path(tempfile.mkdtemp(prefix="lab-bench-")))
    home.prepare()
    services = EmbeddedServices(home)
    try:
        os.environ.update(services.start())
        os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings.test"
        import django

        django.setup()
        measure(options.steps, options.series, options.rounds)
    finally:
        services.stop()
        remove_home(home)


def measure(steps: int, count: int, rounds: int) -> None:
    from django.core.management import call_command
    from django.test import Client

    from tests.webapp.factories import claimed, first_run, person
    from webapp.runs import services

    call_command("migrate", verbosity=0)
    ada = person("ada")
    run = claimed(first_run(ada, outer={"steps": steps}))
    record(run, steps, count)
    client = Client(raise_request_exception=False)
    client.force_login(ada)

    def ask(path: str) -> Callable[[], Any]:
        return lambda: client.get(path)

    asked = {
        "800 buckets": ask(f"/api/v1/runs/{run.pk}/series/reduced?buckets=800"),
        "800 buckets of a tenth": ask(
            f"/api/v1/runs/{run.pk}/series/reduced?buckets=800&from={steps // 2}"
            f"&to={steps // 2 + steps // 10}"
        ),
        "one series": ask(f"/api/v1/runs/{run.pk}/series/reduced?buckets=800&metric=meta_loss"),
        "every point past the last thousand": ask(
            f"/api/v1/runs/{run.pk}/series?after={steps - 1000}"
        ),
        "the page's charts": ask(f"/figures/?runs={run.pk}"),
    }
    for state in ("running", "finished"):
        if state == "finished":
            services.finish(run_id=run.pk, attempt=1, status="finished")
        for name, work in asked.items():
            print(f"{state:10}{name:40}", timed(work, rounds), flush=True)
    own = claimed(first_run(ada, outer={"steps": steps}))
    print(f"{'recording':50}", recording(own, count), flush=True)


def names(count: int) -> list[str]:
    known = ["meta_loss", "seconds", "inner_steps", "peak_bytes", "step_seconds", "gradient_norm"]
    return [*known, *(f"theta.{index}" for index in range(count))][:count]


def values_of(steps: np.ndarray, position: int) -> np.ndarray:
    noise = np.random.default_rng(position).normal(size=len(steps))
    return np.exp(-steps / (1 + steps.max())) + noise / 100


def record(run: Any, steps: int, count: int) -> None:
    """The points of `run` as a running run has them: joined, but for the newest."""
    from webapp.runs import chunks
    from webapp.runs.models import Run, SeriesChunk

    rows = []
    all_steps = np.arange(steps)
    for position, name in enumerate(names(count)):
        values = values_of(all_steps, position)
        edges = [0]
        for length in (*reversed(chunks.JOINED_POINTS), FLUSH):
            edges += range(edges[-1] + length, steps, length)
        edges.append(steps)
        for first, last in pairwise(edges):
            rows.append(
                chunks.encode(
                    run_id=run.pk, attempt=1, name=name, first=first + 1, last=last,
                    arrays=(all_steps[first:last], values[first:last]),
                )
            )  # fmt: skip
    SeriesChunk.objects.bulk_create(rows, batch_size=500)
    Run.objects.filter(pk=run.pk).update(sequence=steps, step=steps, summary={"meta_loss": 0.5})


def recording(run: Any, count: int) -> str:
    """What a flush takes, and the one in which a thousand points are joined."""
    from engine.events import Point
    from webapp.runs import services

    taken = []
    for first in range(0, 2_000, FLUSH):
        points = [
            Point(run=0, step=step, values=dict.fromkeys(names(count), float(step)))
            for step in range(first, first + FLUSH)
        ]
        started = time.perf_counter()
        services.record_points(run_id=run.pk, attempt=1, points=points)
        taken.append(1e3 * (time.perf_counter() - started))
    joining = [max(taken[length // FLUSH - 1 :: length // FLUSH]) for length in (100, 1_000)]
    return "a flush {:5.1f} ms, one that joins 100 points {:5.1f} ms, 1,000 {:5.1f} ms".format(
        median(taken), *joining
    )


def timed(work: Callable[[], Any], rounds: int) -> str:
    taken, cpu = [], []
    for counted in [False, *[True] * rounds]:
        started, own = time.perf_counter(), time.process_time()
        answer = work()
        if counted:
            taken.append(1e3 * (time.perf_counter() - started))
            cpu.append(1e3 * (time.process_time() - own))
    assert answer.status_code == 200, answer
    return (
        f"{median(taken):7.1f} ms, at most {max(taken):7.1f} ms, CPU {median(cpu):7.1f} ms, "
        f"{len(answer.content):>9,} bytes"
    )


if __name__ == "__main__":
    main()
