"""What the rules of advice rest on, measured: docs/results/advice-evidence.json.

    python -m benchmarks.advice_evidence

The bias of implicit differentiation against how much of the way to the minimum may be left; that of
short windows on influence balancing; and the time of forward mode against the number of tangents.
Each is one meta-gradient of a preset at its initial θ, beside the exact one.
"""

from __future__ import annotations

import json
import time
from statistics import median
from typing import Any

import torch

from benchmarks.applications import RESULTS, provenance
from engine.advice.stationarity import way_left
from engine.building import build_problem
from engine.comparison import compare_gradients
from engine.estimators import build_estimator
from engine.presets import PRESETS
from engine.spec import Experiment, parse_text, validate
from engine.spec.editing import edited

PATH = RESULTS / "advice-evidence.json"
ROUNDS = 9
"""Estimates of which the median time is taken, after one that is not counted."""
IMPLICIT: list[tuple[str, dict[str, Any]]] = [
    ("initialisation-without-the-path", {"inner.steps": 5}),
    ("initialisation-without-the-path", {"inner.steps": 20}),
    ("initialisation-without-the-path", {"inner.steps": 80}),
    ("weight-decays-by-implicit-or-unrolled", {}),
    ("implicit-solvers", {}),
]
GRANULARITIES = ("scalar", "per_tensor", "per_step")


def main() -> None:
    torch.set_num_threads(1)
    document = {
        **provenance(),
        "implicit": [_implicit(slug, edits) for slug, edits in IMPLICIT],
        "windows": _windows(),
        "tangents": [_tangents(granularity) for granularity in GRANULARITIES],
    }
    PATH.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    print(json.dumps(document, indent=1))


def _preset(slug: str, edits: dict[str, Any]) -> Experiment:
    [text] = [preset.text for preset in PRESETS if preset.slug == slug]
    return validate(edited({**parse_text(text), "sweep": {}}, edits))


def _implicit(slug: str, edits: dict[str, Any]) -> dict[str, Any]:
    experiment = _preset(slug, edits)
    rows = compare_gradients(experiment)["estimators"]
    [found] = [row for row in rows if row["spec"].get("solver") == "cg"]
    return {
        "preset": slug,
        "steps": experiment.inner.steps,
        "way_left": way_left(experiment),
        "bias_relative": found["bias_relative"],
        "cosine": found["cosine"],
    }


def _windows() -> list[dict[str, Any]]:
    """By window; a cosine of −1 is the wrong sign of the one meta-parameter."""
    experiment = _preset("influence-balancing", {})
    return [
        {
            "window": row["spec"]["window"],
            "bias_relative": row["bias_relative"],
            "cosine": row["cosine"],
        }
        for row in compare_gradients(experiment)["estimators"]
        if row["spec"]["kind"] == "truncated"
    ]


def _tangents(granularity: str) -> dict[str, Any]:
    """Median CPU seconds of one estimate, in turns."""
    experiment = _preset("forward-mode", {"meta_parameters.0.granularity": granularity})
    problem = build_problem(experiment)
    meta = problem.initial_meta(0)
    taken: dict[str, list[float]] = {item.label: [] for item in experiment.estimators}
    for counted in [False, *[True] * ROUNDS]:
        for item in experiment.estimators:
            estimator = build_estimator(item.model_dump())
            carry = estimator.start(problem, meta, 0)
            started = time.process_time()
            estimator.estimate(problem, meta, carry)
            if counted:
                taken[item.label].append(time.process_time() - started)
    return {
        "meta_parameters": experiment.meta_parameter_count(),
        "cpu_seconds": {label: median(seconds) for label, seconds in taken.items()},
    }


if __name__ == "__main__":
    main()
