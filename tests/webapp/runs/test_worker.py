"""Real workers in real processes: a run survives a shutdown and a power cut, bit for bit."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

import engine
from engine.events import MEASURED_SERIES, Point
from engine.spec import validate
from tests.webapp.factories import first_run, person
from tests.webapp.worker_process import WorkerProcess, wait_until
from webapp.celery import app
from webapp.runs.models import Run, Status
from webapp.runs.selectors import series
from webapp.workers.models import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]

STEPS = 400
LONG = {
    "inner": {"steps": 20},
    "outer": {"steps": STEPS, "optimizer": {"kind": "sgd", "learning_rate": 0.0001}},
    "probes": {"every": 100},
    "estimators": [{"kind": "unrolled"}],
    "seeds": [5],
}


@pytest.fixture(autouse=True)
def _empty_queue() -> None:
    with app.connection_for_write() as connection:
        connection.default_channel.queue_declare("cpu")
        connection.default_channel.queue_purge("cpu")


def computed(run: Run) -> dict[str, tuple[list[int], list[float]]]:
    """The deterministic series as the engine gives them without the web."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for event in engine.run(validate(run.spec)):
        for name, value in event.values.items() if isinstance(event, Point) else ():
            if name not in MEASURED_SERIES:
                steps, values = found.setdefault(name, ([], []))
                steps.append(event.step)
                values.append(value)
    return found


def recorded(run: Run) -> dict[str, tuple[list[int], list[float]]]:
    return {
        name: (steps.tolist(), values.tolist())
        for name, (steps, values) in series([run.pk])[run.pk].items()
        if name not in MEASURED_SERIES
    }


def test_a_run_survives_a_shutdown_and_a_power_cut(tmp_path: Path) -> None:
    run = first_run(person("ada"), **LONG)

    def fresh() -> Run:
        return Run.objects.get(pk=run.pk)

    with WorkerProcess(tmp_path) as worker:
        wait_until(lambda: fresh().sequence > 20, seconds=30)
        worker.ask_to_stop(seconds=15)
        assert not Worker.objects.exists(), "it says goodbye"
    assert (fresh().status, fresh().attempt, fresh().times_lost) == (Status.QUEUED, 1, 0)

    with WorkerProcess(tmp_path) as worker:
        checkpoints = tmp_path / "checkpoints" / str(run.pk)
        assert any(checkpoints.glob("*.pt")), "left at the shutdown"
        reached = fresh().sequence
        wait_until(lambda: fresh().sequence > reached, seconds=30)
        worker.kill()
    assert (fresh().status, fresh().attempt) == (Status.RUNNING, 2)
    # Instead of waiting for half a minute.
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))

    with WorkerProcess(tmp_path):
        wait_until(lambda: fresh().has_ended, seconds=120)
        wait_until(lambda: not checkpoints.exists(), seconds=30)
    ended = fresh()
    assert (ended.status, ended.attempt, ended.times_lost) == (Status.FINISHED, 3, 1)
    assert (ended.sequence, ended.error, ended.worker) == (STEPS, "", "")
    assert recorded(run) == computed(run)
    log = " ".join(run.events.values_list("message", flat=True))
    assert "vanished; the run is queued again" in log
    assert "Attempt 3 began on cpu, from outer step" in log
