"""The lecture's 4,000 steps: forecast for seven estimators, and measured for those that fit.

    python -m benchmarks.quickstart_4000 [LABEL …]

784-512-512-10 on Fashion-MNIST, batch 64; writes docs/results/quickstart-4000.json. Meta-parameter
is the learning rate, and for implicit differentiation, where that has no gradient, weight decay.
All are forecast; those named are run, also where they are tight, or without names all that fit;
what was measured before is kept beside.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import torch
from tqdm import tqdm

from benchmarks.applications import RESULTS, provenance
from benchmarks.horizons import peak
from engine.building import build_problem
from engine.estimators import build_estimator
from engine.forecast.fit import fit
from engine.forecast.forecasting import forecast
from engine.forecast.here import calibration_here
from engine.spec import Experiment, validate
from engine.version import code_version

PATH = RESULTS / "quickstart-4000.json"
ESTIMATORS: dict[str, dict[str, Any]] = {
    "unrolled, full": {"kind": "unrolled", "storage": "full"},
    "unrolled, per step": {"kind": "unrolled", "storage": "per_step"},
    "unrolled, checkpoint": {"kind": "unrolled", "storage": "checkpoint"},
    "truncated, last 50": {"kind": "truncated", "window": 50},
    "implicit, 20 of CG": {"kind": "implicit", "iterations": 20},
    "forward mode": {"kind": "forward_mode"},
    "evolution, 2 particles": {"kind": "evolution", "particles": 2},
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quickstart_4000")
    parser.add_argument("labels", nargs="*", metavar="LABEL")
    labels = parser.parse_args().labels
    torch.set_num_threads(1)
    rows = [_forecast(label, spec) for label, spec in tqdm(ESTIMATORS.items(), unit="forecast")]
    kept = json.loads(PATH.read_text("utf-8"))["estimators"] if PATH.exists() else []
    measured = {row["label"]: row["measured"] for row in kept if "measured" in row}
    rows = [
        row | ({"measured": measured[row["label"]]} if row["label"] in measured else {})
        for row in rows
    ]
    _keep(rows)
    chosen = [
        row for row in rows
        if (row["label"] in labels and row["fits"] != "will not fit")
        or (not labels and row["fits"] == "fits")
    ]  # fmt: skip
    for row in sorted(chosen, key=lambda row: row["forecast_seconds"]):
        row["measured"] = _measured(experiment_of(row["spec"]))
        print(row)
        _keep(rows)


def _forecast(label: str, spec: dict[str, Any]) -> dict[str, Any]:
    experiment = experiment_of(spec)
    calibration = calibration_here(experiment)
    [found] = forecast(experiment, calibration)
    return {
        "label": label,
        "spec": spec,
        "forecast_bytes": found.peak_bytes,
        "forecast_seconds": found.step_seconds,
        "machine_bytes": calibration.machine.memory_bytes,
        "fits": fit(found, calibration.machine).verdict,
    }


def _keep(rows: list[dict[str, Any]]) -> None:
    document = {**provenance(), "estimators": rows}
    PATH.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


def experiment_of(spec: dict[str, Any]) -> Experiment:
    learned: dict[str, Any] = {"kind": "learning_rate", "initial": 0.1}
    if spec["kind"] == "implicit":
        learned = {"kind": "weight_decay", "initial": 1e-4}
    return validate(
        {
            "inner_task": {"kind": "image_mlp", "dataset": "fashion_mnist", "hidden": [512, 512]},
            "inner": {"steps": 4000, "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
            "meta_parameters": [learned],
            "estimators": [spec],
            "probes": {"oracle": False},
            "device": "cpu",
        }
    )


def _measured(experiment: Experiment) -> dict[str, Any]:
    """The estimate itself with its CPU seconds, and its peak in a second one."""
    [options] = experiment.estimators
    problem, estimator = build_problem(experiment), build_estimator(options.model_dump())
    meta = problem.initial_meta(0)
    carry = estimator.start(problem, meta, 0)
    started = time.process_time()
    found, _ = estimator.estimate(problem, meta, carry)
    seconds = time.process_time() - started
    gradient = {name: float(leaf.sum()) for name, leaf in found.gradient.items()}
    return {
        "code_version": code_version(),
        "seconds": seconds,
        "bytes": peak(experiment),
        "products": found.cost.hessian_vector_products,
        "notes": list(found.health.notes),
        "meta_loss": float(found.meta_loss),
        "gradient": gradient,
    }


if __name__ == "__main__":
    main()
