"""One meta-gradient of the lecture's example by two routes, in single and in double precision.

    python -m benchmarks.agreement [--steps 1000]

Reverse mode with checkpoints and forward mode compute the same derivative of 784-512-512-10 by the
learning rate. In double precision they agree to the last digits; in single precision rounding
parts the trajectories at the kinks of ReLU, so that neither is the exact one of the other's.
Writes docs/results/agreement.json, where other horizons are kept.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import torch

from benchmarks.applications import RESULTS, provenance
from benchmarks.quickstart_4000 import ESTIMATORS, experiment_of
from engine.building import build_problem
from engine.estimators import build_estimator
from engine.spec import Experiment, validate
from engine.spec.editing import edited

PATH = RESULTS / "agreement.json"
ROUTES = ("unrolled, checkpoint", "forward mode")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement")
    parser.add_argument("--steps", type=int, default=1000, help="the horizon (1000)")
    steps = parser.parse_args().steps
    torch.set_num_threads(1)
    found = {
        precision: {route: _gradient(_experiment(route, steps, precision)) for route in ROUTES}
        for precision in ("float32", "float64")
    }
    row = {"steps": steps, **provenance(), "gradient": found}
    print(json.dumps(row, indent=1))
    known = json.loads(PATH.read_text("utf-8")) if PATH.exists() else []
    rows = sorted([row, *(r for r in known if r["steps"] != steps)], key=lambda r: r["steps"])
    PATH.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def _experiment(route: str, steps: int, precision: str) -> Experiment:
    whole = experiment_of(ESTIMATORS[route]).model_dump(mode="json")
    return validate(edited(whole, {"inner.steps": steps, "precision": precision}))


def _gradient(experiment: Experiment) -> float:
    [options] = experiment.estimators
    problem, estimator = build_problem(experiment), build_estimator(options.model_dump())
    meta: dict[str, Any] = problem.initial_meta(0)
    found, _ = estimator.estimate(problem, meta, estimator.start(problem, meta, 0))
    return float(found.gradient["learning_rate"])


if __name__ == "__main__":
    main()
