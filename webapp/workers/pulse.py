"""The pulse of a worker: says every few seconds that it lives, and heals the queue.

A thread in the worker's parent process, not a task: a task would wait behind the very runs that
keep all slots busy. The beat heals the queue too: where no worker lives, nobody else would find the
runs that the last one held.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from celery.signals import beat_init, worker_ready, worker_shutting_down
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from engine.machine_memory import machine_memory
from webapp.forecasts import late
from webapp.forecasts.services import QUEUE as FORECASTS
from webapp.runs.healing import heal
from webapp.scheduling import waking
from webapp.workers import consumption
from webapp.workers.models import Worker

PULSE_SECONDS = 10.0
FORGOTTEN_AFTER = timedelta(hours=1)
SHARE_OF_RUNS = 0.8
"""Of the machine's memory. The rest is for the system, the lab's servers, and a run that passes its
share within an outer step (`webapp.runs.memory_guard`)."""

log = logging.getLogger(__name__)
_stop = threading.Event()


@dataclass(frozen=True)
class Machine:
    """What runs may use here; memory in bytes is the GPU's where there is one, else a share of the
    machine's."""

    device: str
    has_gpu: bool
    memory_bytes: int


@worker_ready.connect
def start(sender, **_: object) -> None:
    queues = sorted(set(sender.app.amqp.queues.consume_from) & set(settings.CELERY_TASK_QUEUES))
    slots = sender.controller.concurrency
    arguments = (sender.hostname, queues, slots)
    threading.Thread(target=_pulse, args=arguments, name="pulse", daemon=True).start()


@worker_shutting_down.connect
def stop(**_: object) -> None:
    _stop.set()


@beat_init.connect
def start_to_heal(**_: object) -> None:
    threading.Thread(target=_heal, name="healing", daemon=True).start()


def _heal() -> None:
    while True:
        _without_fail(heal)
        _stop.wait(PULSE_SECONDS)


def _pulse(name: str, queues: list[str], slots: int) -> None:
    machine = look_at_machine(wants_gpu="gpu" in queues)
    while not _stop.is_set():
        _without_fail(lambda: report(name=name, queues=queues, slots=slots, machine=machine))
        _without_fail(lambda: consumption.tell(Worker.objects.get(name=name)))
        _without_fail(heal)
        _without_fail(lambda: waking.wake_if_free(name))
        if FORECASTS in queues:
            _without_fail(late.fill_in)
        _stop.wait(PULSE_SECONDS)
    _without_fail(lambda: Worker.objects.filter(name=name).delete())
    connection.close()


def _without_fail(action: Callable[[], object]) -> None:
    """A pulse that stops for one error would look like a dead worker; the next one tries again."""
    try:
        action()
    except (DatabaseError, OSError) as error:
        log.warning("A part of the pulse did not go through (%s).", error)
        connection.close()
    except Exception:
        log.exception("A part of the pulse did not go through.")
        connection.close()


def report(*, name: str, queues: list[str], slots: int, machine: Machine) -> None:
    """Say that worker `name` lives; forget those that have been silent for long."""
    Worker.objects.update_or_create(
        name=name,
        defaults={
            "queues": ",".join(queues),
            "slots": slots,
            "device": machine.device,
            "has_gpu": machine.has_gpu,
            "memory_bytes": machine.memory_bytes,
            "heartbeat_at": Now(),
        },
    )
    Worker.objects.filter(heartbeat_at__lt=Now() - FORGOTTEN_AFTER).delete()


def look_at_machine(*, wants_gpu: bool) -> Machine:
    """Asks the driver's tool, not torch: CUDA must stay untouched in the parent of the pool."""
    if wants_gpu and (gpu := _first_gpu()):
        return gpu
    memory = settings.RUN_MEMORY_BYTES or int(SHARE_OF_RUNS * machine_memory())
    device = f"{os.cpu_count()} CPU cores, {platform.machine()}"
    return Machine(device=device, has_gpu=False, memory_bytes=memory)


def _first_gpu() -> Machine | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    question = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=20, check=True)  # noqa: S603
        name, mebibytes = answer.stdout.splitlines()[0].rsplit(",", 1)
        return Machine(device=name.strip(), has_gpu=True, memory_bytes=int(mebibytes) * 2**20)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
