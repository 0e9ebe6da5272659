"""The machines that may take a run: the workers that live, and what one of their slots may use."""

from __future__ import annotations

from engine.forecast import Calibration, Machine
from webapp.forecasts.calibrations import calibration_of
from webapp.forecasts.predictions import machine_of
from webapp.workers.selectors import of_queue


def machines_for(queue: str) -> list[Machine]:
    """The machines of `queue`, those with most slots first; a query."""
    workers = sorted(of_queue(queue), key=lambda worker: (-worker.slots, worker.name))
    return [machine_of(worker) for worker in workers if worker.memory_bytes]


def calibrations_for(queue: str) -> list[Calibration]:
    """What is known of each of them."""
    return [calibration_of(machine) for machine in machines_for(queue)]
