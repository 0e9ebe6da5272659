"""Forecast memory against the series `peak_bytes` of real runs, and how long a forecast takes.

Every estimator of every preset, and twelve specs that a fixed seed draws from the support matrix
at the sizes that the form starts with: `python -m benchmarks.forecast [PRESET ... | drawn]`. Keeps
what it finds in `docs/results/forecast.json`. A forecast is right within 10 % and 64 MB.
"""

from __future__ import annotations

import gc
import json
import platform
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.building import build_problem
from engine.data import DataError
from engine.forecast.forecasting import forecast
from engine.forecast.here import calibration_here
from engine.forecast.subject_cache import forget
from engine.outer_loop import build_outer_loop
from engine.spec import Experiment, SpecError, read_file, validate
from engine.support import Support, support_matrix

RESULTS = Path("docs/results/forecast.json")
PRESETS = Path("engine/presets")
SHARE, BYTES = 0.10, 64e6
"""How far a forecast may be off: by neither more than the one nor more than the other."""
DRAWN, SEED = 12, 5
HORIZONS = (20, 50, 100)
MOST_SECONDS = 2.0
"""A drawn spec's outer step takes at most so long here: it is run."""


def main(chosen: list[str]) -> int:
    rows = []
    for name, experiment in _experiments(chosen):
        of_spec = [_row(name, experiment, index) for index in range(len(experiment.estimators))]
        for row in of_spec:
            _print(row)
        rows += of_spec
        _keep(name, of_spec)
    wrong = [row for row in rows if not row["within"]]
    print(f"{len(rows) - len(wrong)} of {len(rows)} within 10 % and 64 MB")
    return len(wrong)


def _keep(name: str, rows: list[dict[str, Any]]) -> None:
    """Put the rows of a spec in the place of earlier ones."""
    known = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    others = [row for row in known if row["spec"] != name]
    kept = sorted([*others, *rows], key=lambda row: row["spec"])
    RESULTS.write_text(json.dumps({"machine": platform.machine(), "rows": kept}, indent=1) + "\n")


def _experiments(chosen: list[str]) -> Iterator[tuple[str, Experiment]]:
    for path in sorted(PRESETS.glob("*.yaml")):
        if not chosen or any(path.stem.startswith(name) for name in chosen):
            yield path.stem, read_file(path)
    if not chosen or "drawn" in chosen:
        yield from _drawn()


def _row(name: str, experiment: Experiment, index: int) -> dict[str, Any]:
    """Both figures of one estimator, at the spec's own values."""
    options = experiment.estimators[index]
    single = experiment.model_copy(update={"estimators": [options], "sweep": {}})
    if index == 0:
        forget()
    started = time.perf_counter(), time.process_time()
    found = forecast(single)[0]
    cold = time.perf_counter() - started[0], time.process_time() - started[1]
    started = time.perf_counter(), time.process_time()
    forecast(single)
    warm = time.perf_counter() - started[0]
    measured = _measured(single)
    difference = found.peak_bytes - measured
    return {
        "spec": name,
        "estimator": options.label,
        "kind": options.kind,
        "how": found.how,
        "forecast_bytes": found.peak_bytes,
        "measured_bytes": measured,
        "ratio": found.peak_bytes / max(measured, 1),
        "within": abs(difference) <= SHARE * measured and abs(difference) <= BYTES,
        "cold_seconds": cold[0],
        "cold_cpu_seconds": cold[1],
        "warm_seconds": warm,
        "first": index == 0,
    }


def _measured(experiment: Experiment) -> int:
    """The first value of the series `peak_bytes` of a run."""
    probes = experiment.probes.model_copy(update={"oracle": False, "memory": True, "test": False})
    experiment = experiment.model_copy(update={"probes": probes})
    loop = build_outer_loop(experiment, build_problem(experiment))
    loop.observe()
    measured = int(loop.probe()["peak_bytes"])
    del loop
    gc.collect()
    return measured


def _drawn() -> Iterator[tuple[str, Experiment]]:
    """Specs of the support matrix with the options that the form starts with."""
    source = random.Random(SEED)  # noqa: S311 (a choice of examples)
    allowed = [cell for cell in support_matrix() if cell.allowed]
    seen: set[str] = set()
    while len(seen) < DRAWN:
        cell = source.choice(allowed)
        name = f"{cell.inner_task} {cell.meta_parameter} {cell.estimator}"
        steps = source.choice(HORIZONS)
        experiment = None if name in seen else _at_usual_size(cell, steps)
        if experiment is not None:
            seen.add(name)
            yield name, experiment


def _at_usual_size(cell: Support, steps: int) -> Experiment | None:
    """The spec of `cell` with default options where they can be together; nothing where they
    cannot, where the data set is not on this machine, or where a step takes too long."""
    kinds = {"inner_task": cell.inner_task}
    lists = {"meta_parameters": cell.meta_parameter, "estimators": cell.estimator}
    document = {
        **cell.document,
        **{name: {"kind": kind} for name, kind in kinds.items()},
        **{name: [{"kind": kind}] for name, kind in lists.items()},
        "inner": {**cell.document["inner"], "steps": steps},
        "precision": "float32",
    }
    try:
        experiment = validate(document)
        found = forecast(experiment, calibration_here(experiment))[0]
    except (SpecError, DataError):
        return None
    return experiment if found.step_seconds <= MOST_SECONDS else None


def _print(row: dict[str, Any]) -> None:
    print(
        f"{row['spec']:42.42} {row['estimator']:44.44} {row['forecast_bytes'] / 1e6:10.3f} "
        f"{row['measured_bytes'] / 1e6:10.3f} MB {100 * (row['ratio'] - 1):7.1f} % "
        f"{'' if row['within'] else 'OFF':3} {row['cold_seconds']:6.2f} s "
        f"({row['cold_cpu_seconds']:.2f} s of CPU) {1e3 * row['warm_seconds']:6.1f} ms",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
