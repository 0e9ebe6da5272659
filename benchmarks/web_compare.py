"""Server time of a comparison of 2, 50 and 500 runs.

    python -m benchmarks.web_compare [--steps 1000] [--rounds 5]

Starts a Postgres and a broker of its own in a temporary folder, writes runs of so many outer steps
as ended runs have them, and asks for the page, its charts, its table and its trade-offs as a
browser does, without a network. Milliseconds: the median and the slowest of the rounds after a
first one, and how long the web's process had a CPU for it: what else runs on the machine is left
out of that, and so is Postgres.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.lab_process import remove_home
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import Home

COUNTS = (2, 50, 500)
EVERY = 10
"""Outer steps between two probes."""
AT_STEPS = ("meta_loss", "gradient_norm", "seconds", "step_seconds", "inner_steps",
            "gradient_evaluations", "theta.learning_rate")  # fmt: skip
AT_PROBES = ("bias", "bias_relative", "cosine", "variance", "variance_relative", "oracle_norm",
             "peak_bytes", "probe_seconds")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_compare")
    parser.add_argument("--steps", type=int, default=1_000, help="outer steps of a run (1000)")
    parser.add_argument("--rounds", type=int, default=5, help="times that each is asked for (5)")
    options = parser.parse_args()
    home = Home(Path(tempfile.mkdtemp(prefix="lab-bench-")))
    home.prepare()
    services = EmbeddedServices(home)
    try:
        os.environ.update(services.start())
        os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings.test"
        import django

        django.setup()
        measure(options.steps, options.rounds)
    finally:
        services.stop()
        remove_home(home)


def measure(steps: int, rounds: int) -> None:
    from django.core.management import call_command
    from django.test import Client

    from tests.webapp.factories import launched, person

    call_command("migrate", verbosity=0)
    ada = person("ada")
    windows = [{"kind": "truncated", "window": window} for window in (1, 2, 4, 6, 8)]
    made = launched(ada, estimators=windows, seeds=list(range(100)), outer={"steps": steps})
    runs = list(made.runs.order_by("seed", "number"))
    for run in runs:
        record(run, steps)
    client = Client()
    client.force_login(ada)
    for count in COUNTS:
        ids = ",".join(str(run.pk) for run in runs[:count])
        first = runs[0].pk
        for name, path in {
            "page": f"/compare?runs={ids}",
            "charts": f"/figures/?runs={ids}",
            "charts at equal time": f"/figures/?runs={ids}&cost=seconds&at={steps / 200}",
            "table and tests": f"/compare/summary?runs={ids}&baseline={first}&comparing=",
            "trade-offs": f"/compare/charts?runs={ids}",
        }.items():
            print(f"{count:4} runs  {name:24}", timed(client, path, rounds), flush=True)


def record(run: Any, steps: int) -> None:
    """The points of a run that has ended, in as few chunks as those have."""
    from django.utils import timezone

    from webapp.runs import chunks
    from webapp.runs.models import Run, SeriesChunk, Status

    generator = np.random.default_rng(run.pk)
    rows, last = [], {}
    for name in (*AT_STEPS, *AT_PROBES):
        at = np.arange(0, steps, EVERY if name in AT_PROBES else 1)
        values = np.exp(-at / steps) * (1 + generator.normal(size=len(at)) / 20)
        if name in ("seconds", "inner_steps", "gradient_evaluations"):
            values = np.cumsum(np.abs(values)) / 100
        last[name] = float(values[-1])
        rows.append(
            chunks.encode(
                run_id=run.pk, attempt=1, name=name, first=1, last=steps, arrays=(at, values)
            )
        )
    SeriesChunk.objects.bulk_create(rows)
    Run.objects.filter(pk=run.pk).update(
        attempt=1, step=steps, sequence=steps, summary=last, status=Status.FINISHED,
        started_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip


def timed(client: Any, path: str, rounds: int) -> str:
    taken, busy, size = [], [], 0
    for counted in [False, *[True] * rounds]:
        started, on_cpu = time.perf_counter(), time.process_time()
        answer = client.get(path)
        seconds, cpu = time.perf_counter() - started, time.process_time() - on_cpu
        if answer.status_code != 200:
            raise SystemExit(f"{path[:60]}: {answer.status_code}")
        size = len(answer.content)
        if counted:
            taken.append(1e3 * seconds)
            busy.append(1e3 * cpu)
    figures = f"{median(taken):8.0f} ms, slowest {max(taken):6.0f}; {median(busy):6.0f} ms of CPU"
    return f"{figures}; {math.ceil(size / 1000):5} kB"


if __name__ == "__main__":
    main()
