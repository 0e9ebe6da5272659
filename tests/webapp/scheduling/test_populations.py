"""Real worker processes: a population, and a sweep, over one worker and over four, in the same
bits; parts that are lost or not wanted any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import engine
from engine.events import MEASURED_SERIES, Point
from engine.spec import validate
from tests.webapp.factories import claimed, first_run, launched, person
from tests.webapp.worker_process import WorkerProcess, wait_until
from webapp.celery import app
from webapp.experiments.services import create_experiment
from webapp.runs import services
from webapp.runs.models import ENDS, Run, Status
from webapp.runs.selectors import series
from webapp.scheduling import parts
from webapp.scheduling.models import Part, Population, Usage
from webapp.scheduling.sharing import Sharing, idle_slots
from webapp.scheduling.tasks import help_out
from webapp.workers import pulse
from webapp.workers.pulse import Machine

ELITES: dict[str, Any] = {
    "inner": {"steps": 50},
    "estimators": [{"kind": "elites", "population": 15, "elites": 4, "chunk": 2}],
    "outer": {"steps": 2},
    "seeds": [3],
    "probes": {"every": 9, "test": False, "memory": False},
}
WORTH_HELP = {**ELITES, "inner": {"steps": 5000}}
"""So long that others are asked for help, also by a fast machine."""
CPU = Machine(device="2 CPU cores", has_gpu=False, memory_bytes=8 * 2**30)


@pytest.fixture(autouse=True)
def _empty_queue() -> None:
    with app.connection_for_write() as connection:
        connection.default_channel.queue_declare("cpu")
        connection.default_channel.queue_purge("cpu")


def computed(run: Run) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for event in engine.run(validate(run.spec)):
        for name, value in event.values.items() if isinstance(event, Point) else ():
            if name not in MEASURED_SERIES:
                found.setdefault(name, []).append(value)
    return found


def recorded(run: Run) -> dict[str, list[float]]:
    found = series([run.pk])[run.pk]
    return {k: v.tolist() for k, (_, v) in found.items() if k not in MEASURED_SERIES}


@pytest.mark.e2e
@pytest.mark.django_db(transaction=True)
def test_one_worker_and_four_give_the_same_bits(tmp_path: Path) -> None:
    ada = person("ada")
    spec = first_run(ada, **WORTH_HELP).experiment.spec
    Run.objects.all().delete()
    with WorkerProcess(tmp_path, slots=4):

        def carried_out(**how: Any) -> list[Run]:
            experiment = create_experiment(owner=ada, experiment=validate(spec), **how)
            wait_until(lambda: not experiment.runs.exclude(status__in=ENDS).exists(), seconds=90)
            return list(experiment.runs.order_by("number"))

        [alone] = carried_out(spread=False)
        [spread] = carried_out(spread=True)
        sweep = launched(ada)
        wait_until(lambda: not sweep.runs.exclude(status__in=ENDS).exists(), seconds=60)
    assert (alone.status, spread.status) == (Status.FINISHED, Status.FINISHED)
    assert recorded(spread) == recorded(alone)
    log = " ".join(spread.events.values_list("message", flat=True))
    assert "Idle workers evaluated" in log
    assert "Idle workers" not in " ".join(alone.events.values_list("message", flat=True))
    assert not Population.objects.exists()
    for run in sweep.runs.all():
        assert recorded(run) == computed(run)


def evaluate_here(metas: dict, seed: int, chunk: int) -> torch.Tensor:
    return metas["learning_rate"].sum(-1) + seed


def particles(count: int) -> dict[str, torch.Tensor]:
    return {"learning_rate": torch.arange(count, dtype=torch.float64)[:, None]}


@pytest.mark.django_db
def test_a_part_whose_worker_vanished_is_done_again(monkeypatch) -> None:
    run = claimed(first_run(person("ada"), **ELITES), worker="mine")
    for name in ("mine", "idle"):
        pulse.report(name=name, queues=["cpu"], slots=1, machine=CPU)
    assert list(idle_slots(run)) == ["idle"]
    sharing = Sharing(run, check=lambda: None)
    sharing.chunk_seconds = 1.0
    monkeypatch.setattr("webapp.scheduling.sharing.LATE", 0.0)
    monkeypatch.setattr("webapp.scheduling.sharing.LATE_SECONDS", 0.2)

    def asked(population: int, workers: list[str]) -> None:
        assert workers == ["idle"]
        # Two are taken: one comes back filled, the other never.
        done, _lost = (parts.take(population, "idle") for _ in range(2))
        parts.fill(population, done, torch.full((3,), -1.0, dtype=torch.float64))

    monkeypatch.setattr("webapp.scheduling.sharing.ask_for_help", asked)
    losses = sharing(evaluate_here)(particles(11), 5, 3)
    assert losses.tolist() == [-1.0, -1.0, -1.0, *(5.0 + i for i in range(3, 11))]
    assert (sharing.by_others, sharing.parts) == (1, 4)
    assert not Part.objects.exists()


@pytest.mark.django_db
def test_nobody_helps_while_a_run_waits() -> None:
    run, waiting = (first_run(person(name), **ELITES) for name in ("ada", "bob"))
    claimed(run, worker="mine")
    pulse.report(name="idle", queues=["cpu"], slots=1, machine=CPU)
    sharing = Sharing(Run.objects.get(pk=run.pk), check=lambda: None)
    sharing.chunk_seconds = 9.0
    assert sharing._helpers(particles(8), 8) == []
    services.request_cancel(user=waiting.experiment.owner, run=waiting)
    assert sharing._helpers(particles(8), 8) == ["idle"]
    assert sharing._helpers(particles(8), 1) == [], "one part is no work for two"


@pytest.mark.django_db
def test_parts_of_a_run_that_is_cancelled_are_left() -> None:
    ada = person("ada")
    run = claimed(first_run(ada, **ELITES), worker="mine")
    metas = {"learning_rate": torch.full((4,), 0.1, dtype=torch.float64)}
    population = parts.make(run, metas, 3, 2, [0, 1])
    services.request_cancel(user=ada, run=run)
    help_out.apply(args=[str(population.pk)])
    assert not Part.objects.exclude(losses=None).exists()
    Run.objects.update(cancel_requested=False)
    help_out.apply(args=[str(population.pk)])
    assert not Part.objects.filter(losses=None).exists()
    assert Usage.objects.get().seconds > 0.0
    # What a new attempt finds is not its own.
    Sharing(run, check=lambda: None)
    assert not Population.objects.exists()
