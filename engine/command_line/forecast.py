"""`python -m engine forecast`: memory and time of every estimator, without running a loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.forecast import EstimatorForecast
from engine.forecast.fit import fit, readable
from engine.forecast.forecasting import forecast
from engine.forecast.here import calibration_here
from engine.plain import to_json
from engine.spec import read_file


def print_forecast(spec_path: Path, *, as_json: bool) -> int:
    """Print the forecast as a table, or as one JSON document; always 0.

    It is that of the spec's own values: of one run, one seed, sweeps aside. Raises `SpecError` for
    a bad spec.
    """
    experiment = read_file(spec_path)
    calibration = calibration_here(experiment)
    found = forecast(experiment, calibration)
    fits = [fit(one, calibration.machine, experiment.budget.bytes) for one in found]
    if as_json:
        rows = [_row(one, fitting.verdict) for one, fitting in zip(found, fits, strict=True)]
        print(to_json({"machine": calibration.machine.model_dump(), "estimators": rows}))
        return 0
    width = max(len(one.label) for one in found)
    print(f"{'':{width}}  {'estimate':>9} {'run':>9}  {'an outer step':>13}  {'a run (90 %)':>24}  "
          "here")  # fmt: skip
    for one, fitting in zip(found, fits, strict=True):
        print(
            f"{one.label:{width}}  {readable(one.peak_bytes):>9} {readable(one.run_bytes):>9}  "
            f"{_seconds(one.step_seconds):>13}  {_interval(one):>24}  {fitting.verdict}"
        )
        parts = sorted(one.parts.items(), key=lambda part: -part[1])
        told = [f"{name.replace('_', ' ')} {readable(size)}" for name, size in parts if size]
        print(f"  {', '.join(told)}")
        for note in one.notes:
            print(f"  {note}")
    return 0


def _row(one: EstimatorForecast, verdict: str) -> dict[str, Any]:
    """`fits` is whether the live tensors do; `verdict` also tells where it is tight."""
    return {
        **one.model_dump(),
        "inner_steps": one.run.inner_steps,
        "fits": verdict != "will not fit",
        "verdict": verdict,
    }


def _interval(one: EstimatorForecast) -> str:
    if one.seconds is None:
        return "–"
    low, high = (_seconds(end) for end in (one.seconds_low, one.seconds_high))
    return f"{_seconds(one.seconds)} ({low} to {high})"


def _seconds(value: float | None) -> str:
    """`0.12 s`, `3.4 min`, `2.1 h`: two figures."""
    if value is None:
        return "–"
    for unit, scale in (("h", 3600.0), ("min", 60.0)):
        if value >= scale:
            return f"{value / scale:.2g} {unit}"
    return f"{value:.2g} s"
