"""A run in a worker, with the real engine: true numbers, true states, durable checkpoints."""

import threading
import time
from pathlib import Path
from socket import gethostname

import numpy as np
import pytest
from django.conf import settings
from django.db import connection

import engine
from engine.events import MEASURED_SERIES, Point
from engine.spec import validate
from tests.webapp.factories import claimed, first_run, person
from webapp.runs import services
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.execution import execute
from webapp.runs.models import Run, Status
from webapp.runs.selectors import series
from webapp.runs.tasks import execute_run
from webapp.workers import pulse
from webapp.workers.pulse import Machine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _checkpoints_in_a_folder_of_the_test(settings, tmp_path) -> None:
    settings.CHECKPOINT_ROOT = tmp_path


@pytest.fixture
def ada():
    return person("ada")


def recorded(run: Run) -> dict[str, tuple[list[int], list[float]]]:
    found = series([run.pk]).get(run.pk, {})
    return {name: (steps.tolist(), values.tolist()) for name, (steps, values) in found.items()}


def deterministic(run: Run) -> dict[str, tuple[list[int], list[float]]]:
    """What must be the same on every repetition, bit for bit."""
    return {name: got for name, got in recorded(run).items() if name not in MEASURED_SERIES}


def in_a_thread(run: Run) -> threading.Thread:
    def work() -> None:
        execute(run.pk, "worker@test")
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_run_has_the_numbers_of_the_engine(ada) -> None:
    run = first_run(ada)
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    assert (run.status, run.error) == (Status.FINISHED, "")
    assert (run.step, run.sequence) == (20, 20)

    events = list(engine.run(validate(run.spec)))
    expected: dict[str, tuple[list[int], list[float]]] = {}
    for point in (event for event in events if isinstance(event, Point)):
        for name, value in point.values.items():
            if name not in MEASURED_SERIES:
                steps, values = expected.setdefault(name, ([], []))
                steps.append(point.step)
                values.append(value)
    assert deterministic(run) == expected
    assert run.summary["meta_loss"] == expected["meta_loss"][1][-1]
    assert "Attempt 1 began on cpu" in run.events.first().message


def test_executing_twice_does_nothing_twice(ada) -> None:
    run = first_run(ada)
    assert execute(run.pk, "worker@test")
    before = Run.objects.values().get(pk=run.pk)
    assert not execute(run.pk, "worker@test")
    assert not execute(run.pk + 1000, "worker@test")
    assert Run.objects.values().get(pk=run.pk) == before


def test_a_message_wakes_a_worker_for_all_that_waits_in_line(ada) -> None:
    older, newer, elsewhere = (first_run(ada, device=device) for device in ("cpu", "cpu", "cuda"))
    Run.objects.exclude(pk__in=(older.pk, newer.pk, elsewhere.pk)).delete()
    services.release(run_id=claimed(older).pk, attempt=1)
    execute_run.apply(args=[newer.pk])
    assert not Run.objects.exclude(status=Status.QUEUED).exists(), "the lab knows no such worker"
    machine = Machine(device="2 CPU cores", has_gpu=False, memory_bytes=8 * 2**30)
    pulse.report(name=gethostname(), queues=["cpu"], slots=1, machine=machine)
    execute_run.apply(args=[newer.pk])
    ended = Run.objects.filter(status=Status.FINISHED).order_by("finished_at")
    assert list(ended) == [older, newer]
    elsewhere.refresh_from_db()
    assert elsewhere.status == Status.QUEUED


def test_a_run_goes_on_from_its_checkpoint_as_if_nothing_had_happened(ada, monkeypatch) -> None:
    monkeypatch.setattr(settings, "CHECKPOINT_SECONDS", 0)
    whole = first_run(ada, seeds=[3])
    execute(whole.pk, "worker@test")

    run = first_run(ada, seeds=[3])
    store = CheckpointStore(run.pk)
    for stop_at in (5, 12):
        execute(
            run.pk,
            "worker@test",
            must_stop=lambda at=stop_at: at in store.steps(),
        )
        run.refresh_from_db()
        assert run.status == Status.QUEUED
        assert len(store.steps()) == 2, "the last two are kept"
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    assert (run.status, run.attempt) == (Status.FINISHED, 3)
    assert deterministic(run) == deterministic(whole)
    assert recorded(run).keys() == recorded(whole).keys()
    assert not store.steps()


def test_a_damaged_checkpoint_is_passed_over(ada, monkeypatch) -> None:
    monkeypatch.setattr(settings, "CHECKPOINT_SECONDS", 0)
    run = first_run(ada)
    store = CheckpointStore(run.pk)
    execute(run.pk, "worker@test", must_stop=lambda: 7 in store.steps())
    newest = Path(settings.CHECKPOINT_ROOT, store.newest_first()[0])
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    assert store.newest(at_most=20).step == 6
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    assert (run.status, run.sequence) == (Status.FINISHED, 20)


def test_a_cancelled_run_keeps_its_points(ada) -> None:
    run = first_run(ada, outer={"steps": 100_000}, inner={"steps": 5})
    worker = in_a_thread(run)
    deadline = time.monotonic() + 20
    while Run.objects.get(pk=run.pk).sequence == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    asked = time.monotonic()
    services.request_cancel(user=ada, run=run)
    worker.join(timeout=20)
    assert time.monotonic() - asked < 3
    run.refresh_from_db()
    assert run.status == Status.CANCELLED
    assert 0 < run.sequence < 100_000
    assert recorded(run)["meta_loss"][0] == list(range(run.sequence))


def test_a_deleted_run_stops_and_leaves_no_files(ada, monkeypatch) -> None:
    monkeypatch.setattr(settings, "CHECKPOINT_SECONDS", 0)
    run = first_run(ada, outer={"steps": 100_000}, inner={"steps": 5})
    worker = in_a_thread(run)
    deadline = time.monotonic() + 20
    while not CheckpointStore(run.pk).steps():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    services.delete(user=ada, run=Run.objects.get(pk=run.pk))
    worker.join(timeout=20)
    assert not worker.is_alive()
    assert not Run.objects.filter(pk=run.pk).exists()
    assert not CheckpointStore(run.pk).steps()


def test_a_diverging_run_fails_with_the_reason(ada) -> None:
    run = first_run(
        ada,
        inner={"steps": 100},
        meta_parameters=[{"kind": "learning_rate", "initial": 1000.0}],
        outer={"steps": 5, "optimizer": {"kind": "sgd", "learning_rate": 1000.0}},
    )
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert run.error
    assert not np.isfinite(recorded(run)["meta_loss"][1][-1])


def test_missing_data_is_said_with_the_command_that_fetches_it(ada, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("engine.data.fashion_mnist.available", lambda: False)
    run = first_run(
        ada,
        inner_task={"kind": "image_mlp", "dataset": "fashion_mnist"},
        estimators=[{"kind": "unrolled"}],
    )
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert "python -m engine fetch fashion_mnist" in run.error
    assert "Traceback" not in run.error


def test_points_that_cannot_be_recorded_end_the_run_with_the_reason(ada, monkeypatch) -> None:
    def refuse(**_: object) -> None:
        raise ValueError("the next point is of outer step 1, not 2")

    monkeypatch.setattr(services, "record_points", refuse)
    run = first_run(ada)
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    assert run.status == Status.FAILED
    assert "outer step 1, not 2" in run.error


def test_a_spec_that_no_longer_validates_fails_with_the_field(ada) -> None:
    run = first_run(ada)
    Run.objects.filter(pk=run.pk).update(spec={**run.spec, "gone": 1})
    execute(run.pk, "worker@test")
    run.refresh_from_db()
    assert (run.status, run.error.split(":")[1]) == (Status.FAILED, " gone")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "The machine ran out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "The machine ran out of"),
        (RuntimeError("first line\nsecond line"), "RuntimeError: first line"),
        (ZeroDivisionError(), "ZeroDivisionError"),
    ],
)
def test_errors_become_one_sentence(error: Exception, sentence: str) -> None:
    from webapp.runs.explanations import explain

    assert explain(error).startswith(sentence)
    assert "\n" not in explain(error)


def test_running_out_of_gpu_memory_names_the_gpu() -> None:
    import torch

    from webapp.runs.explanations import explain

    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
    assert explain(error).startswith("The GPU ran out of memory")
