"""What is known of a worker's machine: its rates, and what the runs it finished teach."""

from __future__ import annotations

import math
from datetime import timedelta

from django.db.models.functions import Now

from engine.forecast import Calibration, Machine, Rates
from engine.forecast.corrections import Observation, corrections_from, group_of
from engine.forecast.records import COUNTING, Correction
from webapp.forecasts.models import MachineRates, Prediction

FRESH = timedelta(days=7)
"""Rates that are older are measured again."""
MOST_RUNS = 2000
"""The newest runs that corrections are learned from."""


def calibration_of(machine: Machine) -> Calibration:
    """Rates and corrections of `machine`, whose name is its worker's; two queries at most."""
    if machine.rates is None:
        row = MachineRates.objects.filter(worker=machine.name).first()
        machine = machine.model_copy(update={"rates": row and row.rates})
    return Calibration(machine=machine, corrections=corrections_of(machine))


def corrections_of(machine: Machine) -> list[Correction]:
    """Of the runs that `machine` finished; where it has finished none, of all machines' with such
    a device, whose own rates their predictions were made with."""
    measured = Prediction.objects.filter(
        measured_seconds__gt=0.0,
        rated_seconds__gt=0.0,
        device=machine.device,
        counting=COUNTING,
    )
    own = _observations(measured.filter(worker=machine.name))
    return corrections_from(own or _observations(measured))


def _observations(rows) -> list[Observation]:
    newest = rows.order_by("-measured_at").values_list(
        "run__spec__inner_task", "estimator", "configuration", "rated_seconds", "measured_seconds"
    )
    return [
        Observation(
            group=group_of(inner_task, estimator),
            configuration=configuration,
            log_ratio=math.log(measured / rated),
        )
        for inner_task, estimator, configuration, rated, measured in newest[:MOST_RUNS]
    ]


def fresh_rates(worker: str, description: str) -> MachineRates | None:
    """The rates of `worker`, if they were measured of late and on the same device."""
    return MachineRates.objects.filter(
        worker=worker, description=description, measured_at__gt=Now() - FRESH
    ).first()


def keep_rates(*, worker: str, device: str, description: str, rates: Rates) -> None:
    MachineRates.objects.update_or_create(
        worker=worker,
        defaults={
            "device": device,
            "description": description,
            "measured_at": Now(),
            **rates.model_dump(),
        },
    )
