"""What each run is said to take, when a worker takes it, and what it took, when it has finished."""

from __future__ import annotations

import numpy as np
from django.db.models.functions import Now

from engine.forecast import Machine
from engine.forecast.records import COUNTING, Calibration, EstimatorForecast
from engine.forecast.seconds import rated_seconds
from engine.spec import Experiment, validate
from engine.version import code_version
from webapp.forecasts.calibrations import calibration_of
from webapp.forecasts.models import Prediction
from webapp.runs.chunks import Arrays
from webapp.runs.models import Run, Status
from webapp.runs.selectors import series
from webapp.runs.wake import send
from webapp.workers.models import Worker

PREDICT = "forecasts.predict"
PATIENCE_SECONDS = 3600.0
"""A run for which the forecast worker found no time by then goes without."""
NOTHING: Arrays = (np.zeros(0), np.zeros(0))


def ask(run: Run) -> None:
    """Have the forecast worker say what `run`, which a worker has just taken, will take.

    Only of a first attempt: a later one goes on from a checkpoint, perhaps on another machine.
    """
    worker = Worker.objects.filter(name=run.worker).first()
    if run.attempt > 1 or worker is None:
        return
    Prediction.objects.update_or_create(
        run=run,
        defaults={
            "configuration": run.configuration,
            "inner_task": run.spec["inner_task"]["kind"],
            "estimator": run.estimator,
            "worker": worker.name,
            "device": machine_of(worker).device,
            "code_version": code_version(),
        },
    )
    send(PREDICT, [str(run.pk)], queue="forecast", expires=PATIENCE_SECONDS)


def predict(run_id: int) -> None:
    """Keep what run `run_id` is said to take, on the machine of the worker that took it."""
    row = Prediction.objects.filter(run_id=run_id).select_related("run").first()
    worker = row and Worker.objects.filter(name=row.worker).first()
    if row is None or worker is None:
        return
    # Imported here: web processes read this module too, and must stay free of torch.
    from engine.forecast.forecasting import forecast

    experiment = validate(row.run.spec)
    calibration = calibration_of(machine_of(worker))
    [found] = forecast(experiment, calibration)
    keep(run_id, experiment, calibration, found)


def keep(
    run_id: int, experiment: Experiment, calibration: Calibration, found: EstimatorForecast
) -> None:
    machine = calibration.machine
    rated = None
    if found.seconds is not None and not found.compiled:
        parts = (found.run, found.probes)
        rated = sum(rated_seconds(work, machine, experiment.precision) for work in parts)
    Prediction.objects.filter(run_id=run_id).update(
        how=found.how,
        counting=COUNTING,
        peak_bytes=found.peak_bytes,
        rated_seconds=rated,
        seconds=found.seconds,
        seconds_low=found.seconds_low,
        seconds_high=found.seconds_high,
        predicted_at=Now(),
    )


def measure(run_id: int) -> None:
    """Keep what run `run_id` took beside what was said of it; nothing where it has not finished
    in one go, or nothing was asked."""
    row = Prediction.objects.filter(run_id=run_id).select_related("run").first()
    if row is None or row.run.status != Status.FINISHED or row.run.attempt > 1:
        return
    measured = series([run_id], ["peak_bytes", "probe_seconds"]).get(run_id, {})
    _, peaks = measured.get("peak_bytes", NOTHING)
    _, probes = measured.get("probe_seconds", NOTHING)
    row.measured_peak_bytes = int(max(peaks)) if len(peaks) else None
    row.measured_seconds = row.run.figures["seconds"] + float(sum(probes))
    row.measured_at = Now()
    row.save(update_fields=["measured_peak_bytes", "measured_seconds", "measured_at"])


def machine_of(worker: Worker) -> Machine:
    return Machine(
        name=worker.name,
        device="cuda" if worker.has_gpu else "cpu",
        memory_bytes=max(worker.run_bytes, 1.0),
    )
