"""How a lab gets faster with more worker processes: a sweep of short runs, and one population.

    python -m benchmarks.scaling [--processes 1 2 4] [--out FILE]

Starts a Postgres and a broker of its own, and for each number of processes a real worker with as
many slots. Measured is the time from the launch to the end of the last run, by the lab's own clock:
of 24 short runs of a quadratic, and of one run of elites whose population is cut into chunks. The
figures of all runs are compared with those of one process: they must be the same bits.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.lab_process import remove_home
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import Home

BOWL: dict[str, Any] = {
    "inner_task": {"kind": "quadratic", "dimension": 4, "condition_number": 10.0},
    "meta_parameters": [{"kind": "learning_rate", "initial": 0.1}],
    "probes": {"every": 1000, "test": False, "memory": False},
    "device": "cpu",
    "precision": "float64",
}
SWEEP = BOWL | {
    "name": "short runs",
    "inner": {"steps": 50},
    "outer": {"steps": 20},
    "sweep": {"inner.steps": [40, 50, 60]},
    "seeds": list(range(8)),
}
POPULATION = BOWL | {
    "name": "one population",
    "inner": {"steps": 4000},
    "outer": {"steps": 3},
    "estimators": [{"kind": "elites", "population": 31, "elites": 8, "chunk": 1}],
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--out", type=Path, help="a file for the figures, as JSON")
    options = parser.parse_args()
    home = Home(Path(tempfile.mkdtemp(prefix="lab-bench-")))
    home.prepare()
    services = EmbeddedServices(home)
    found: list[dict[str, Any]] = []
    figures: list[Any] = []
    try:
        os.environ.update(services.start())
        os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings.development"
        os.environ["LAB_HOME"] = str(home.root)
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        for count in options.processes:
            found.append(measured(count, home.root))
            figures.append(found[-1].pop("figures"))
            found[-1]["same_bits"] = figures[-1] == figures[0]
            print(json.dumps(found[-1]), flush=True)
    finally:
        services.stop()
        remove_home(home)
    if options.out:
        kept = {"cores": os.cpu_count(), "processes": found}
        options.out.write_text(json.dumps(kept, indent=1) + "\n")


def measured(processes: int, folder: Path) -> dict[str, Any]:
    from webapp.accounts.models import User
    from webapp.workers.models import Worker

    owner, _ = User.objects.get_or_create(username="ada")
    with (folder / f"worker-{processes}.log").open("w") as log:
        worker = subprocess.Popen(  # noqa: S603 (our own interpreter)
            [
                *(sys.executable, "-m", "celery", "-A", "webapp.celery", "worker", "-Q", "cpu"),
                *("-n", "cpu@%h", "--concurrency", str(processes)),
                *("--without-gossip", "--without-mingle"),
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: Worker.objects.filter(slots=processes).exists())
        # The first runs pay for what is imported late.
        carried_out(owner, SWEEP)
        sweep, sweep_figures = carried_out(owner, SWEEP)
        population, population_figures = carried_out(owner, POPULATION)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=60)
        Worker.objects.all().delete()
    runs = len(SWEEP["seeds"]) * len(SWEEP["sweep"]["inner.steps"])
    return {
        "processes": processes,
        "runs_a_minute": round(60 * runs / sweep, 1),
        "population_seconds": round(population, 2),
        "figures": [sweep_figures, population_figures],
    }


def carried_out(owner: Any, spec: dict[str, Any]) -> tuple[float, tuple]:
    """Seconds from the launch to the end of the last run, and the last meta-loss of each."""
    from engine.spec import validate
    from webapp.experiments.services import create_experiment
    from webapp.runs.models import ENDS

    experiment = create_experiment(owner=owner, experiment=validate(spec))
    until(lambda: not experiment.runs.exclude(status__in=ENDS).exists())
    runs = list(experiment.runs.order_by("number"))
    seconds = max(run.finished_at for run in runs) - experiment.created_at
    return seconds.total_seconds(), tuple(run.summary["meta_loss"] for run in runs)


def until(condition: Any) -> None:
    while not condition():
        time.sleep(0.05)


if __name__ == "__main__":
    main()
