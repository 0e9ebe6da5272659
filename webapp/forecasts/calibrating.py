"""A worker measures how fast its machine is, once it takes runs.

In a process of its own: no run waits for it, and CUDA stays untouched in the parent of the pool.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

from celery.signals import worker_ready, worker_shutting_down
from django.db import DatabaseError, connection

from engine.forecast import Rates
from webapp.forecasts.calibrations import fresh_rates, keep_rates
from webapp.workers.pulse import Machine, look_at_machine

THREADS = "1"
"""Of a run, unless its spec has more; what more of them gain is learned from finished runs."""
LONGEST_SECONDS = 120.0

log = logging.getLogger(__name__)
_measuring: list[subprocess.Popen] = []


@worker_ready.connect
def start(sender, **_: object) -> None:
    queues = set(sender.app.amqp.queues.consume_from)
    if not queues & {"cpu", "gpu"}:
        return
    arguments = (sender.hostname, "gpu" in queues)
    threading.Thread(target=_calibrate, args=arguments, name="calibration", daemon=True).start()


@worker_shutting_down.connect
def stop(**_: object) -> None:
    for process in _measuring:
        process.terminate()


def _calibrate(worker: str, wants_gpu: bool) -> None:
    try:
        calibrate(worker=worker, machine=look_at_machine(wants_gpu=wants_gpu))
    except (DatabaseError, OSError, ValueError, subprocess.SubprocessError) as error:
        log.warning("This worker's machine could not be measured (%s).", error)
    finally:
        connection.close()


def calibrate(*, worker: str, machine: Machine) -> None:
    """Keep the rates of `machine`, unless `worker` has fresh ones.

    Raises `subprocess.SubprocessError` where the measurement fails or takes too long.
    """
    if fresh_rates(worker, machine.device):
        return
    device = "cuda" if machine.has_gpu else "cpu"
    keep_rates(
        worker=worker,
        device=device,
        description=machine.device,
        rates=_measured(device),
    )
    log.info("This worker's machine has been measured.")


def _measured(device: str) -> Rates:
    command = [sys.executable, "-m", "engine.forecast.rates", device, THREADS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        _measuring.append(process)
        try:
            answer, _ = process.communicate(timeout=LONGEST_SECONDS)
        finally:
            process.kill()
            _measuring.remove(process)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Rates.model_validate_json(answer)
