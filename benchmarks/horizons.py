"""Peak memory of every estimator against the horizon: flat where the theory says flat."""

from __future__ import annotations

import torch

from engine.building import build_problem
from engine.estimators import build_estimator
from engine.probes.memory import PeakBytes
from engine.spec import Experiment, validate

HORIZONS = (10, 30, 100, 300, 1000)
IMPLICIT = {"kind": "implicit", "solver": "cg", "iterations": 10}
ESTIMATORS = {
    "unrolled, full": {"kind": "unrolled", "storage": "full"},
    "unrolled, per step": {"kind": "unrolled", "storage": "per_step"},
    "unrolled, checkpoint": {"kind": "unrolled", "storage": "checkpoint"},
    "truncated, last 10": {"kind": "truncated", "window": 10},
    "truncated, windows of 10": {"kind": "truncated", "mode": "windows", "window": 10},
    "implicit, 10 of CG": IMPLICIT,
    "forward mode, one tangent": {"kind": "forward_mode"},
    "evolution, 8 particles": {"kind": "evolution", "particles": 8},
    "persistent evolution, windows of 10": {
        "kind": "evolution",
        "mode": "pes",
        "window": 10,
        "particles": 8,
    },
}


def peaks() -> dict[str, list[int]]:
    """Label to peak bytes of one estimate at each of `HORIZONS`."""
    return {
        label: [peak(experiment_of(spec, t)) for t in HORIZONS]
        for label, spec in ESTIMATORS.items()
    }


def experiment_of(spec: dict, horizon: int) -> Experiment:
    """A small perceptron on digits, with one estimator and one meta-parameter. A single outer step:
    a long run of a small learner would be compiled, whose memory is another."""
    learned = "weight_decay" if spec is IMPLICIT else "learning_rate"
    return validate(
        {
            "inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": [32]},
            "inner": {"steps": horizon},
            "meta_parameters": [{"kind": learned, "initial": 0.01}],
            "estimators": [spec],
            "outer": {"steps": 1},
            "device": "cpu",
        }
    )


def peak(experiment: Experiment) -> int:
    """Peak bytes of one estimate, measured."""
    [options] = experiment.estimators
    problem, estimator = build_problem(experiment), build_estimator(options.model_dump())
    meta = problem.initial_meta(0)
    carry = estimator.start(problem, meta, 0)
    with PeakBytes(torch.device("cpu")) as found:
        estimator.estimate(problem, meta, carry)
    return found.bytes


def table() -> str:
    lines = [f"peak MB, digits 64-32-10{'':<12}" + "".join(f"{f'T = {t}':>11}" for t in HORIZONS)]
    for label, found in peaks().items():
        lines.append(f"  {label:<34}" + "".join(f"{peak / 1e6:>11.2f}" for peak in found))
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
