"""Forecast peaks against what real runs measure, for every kind of estimator and search."""

from __future__ import annotations

from typing import Any

import pytest

from engine.building import build_problem
from engine.forecast.forecasting import forecast
from engine.outer_loop import build_outer_loop
from engine.spec import Experiment, validate

DIGITS = {
    "inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": [16], "batch_size": 8},
    "inner": {"steps": 13},
    "meta_parameters": [{"kind": "learning_rate"}],
    "outer": {"steps": 2},
    "probes": {"oracle": False, "test": False},
    "device": "cpu",
}
WEIGHT_DECAY = {"meta_parameters": [{"kind": "weight_decay"}]}
AVERAGE = {"objective": "average"}
INITIALISATION = {"meta_parameters": [{"kind": "initialisation"}]}
MOMENTUM = {"inner": {"steps": 13, "optimizer": {"kind": "momentum"}}}
BATCH = {"outer": {"steps": 2, "meta_batch": 3}}

CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "unrolled", "storage": "full"}, {}),
    ({"kind": "unrolled", "storage": "full"}, AVERAGE | BATCH),
    ({"kind": "unrolled", "storage": "per_step"}, MOMENTUM),
    ({"kind": "unrolled", "storage": "checkpoint"}, {}),
    ({"kind": "unrolled", "storage": "checkpoint", "segment": 4}, AVERAGE),
    (
        {
            "kind": "unrolled",
            "products": "forward_over_reverse",
            "storage": "per_step",
            "save_gradients": True,
        },
        {},
    ),
    ({"kind": "truncated", "window": 6}, {}),
    ({"kind": "truncated", "mode": "windows", "window": 4}, AVERAGE),
    ({"kind": "truncated", "mode": "windows", "window": 4, "online": True}, AVERAGE),
    ({"kind": "fomaml", "storage": "full"}, {}),
    ({"kind": "reptile"}, INITIALISATION),
    ({"kind": "implicit", "iterations": 7}, WEIGHT_DECAY),
    ({"kind": "implicit", "solver": "neumann", "warm_start": True}, WEIGHT_DECAY),
    ({"kind": "self_tuning", "window": 6}, WEIGHT_DECAY),
]
SAMPLED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "forward_mode"}, {}),
    ({"kind": "forward_mode", "random_directions": 7, "chunk": 2}, {}),
    ({"kind": "evolution", "particles": 38, "chunk": 4}, {}),
    ({"kind": "evolution", "particles": 20, "chunk": 1}, AVERAGE),
    ({"kind": "evolution", "mode": "pes", "window": 3, "particles": 24}, AVERAGE),
    ({"kind": "elites", "population": 30, "chunk": 4}, {}),
    ({"kind": "cma_es", "population": 7}, BATCH),
    ({"kind": "random"}, {}),
    ({"kind": "population_based", "population": 9, "chunk": 2, "interval": 5}, BATCH),
]


def experiment(estimator: dict[str, Any], changes: dict[str, Any]) -> Experiment:
    return validate({**DIGITS, **changes, "estimators": [estimator]})


def measured_peak(spec: Experiment) -> float:
    """The first value of the series `peak_bytes` of a run."""
    loop = build_outer_loop(spec, build_problem(spec))
    loop.observe()
    return loop.probe()["peak_bytes"]


def _name(case: tuple[dict[str, Any], dict[str, Any]]) -> str:
    estimator, changes = case
    return " ".join(map(str, [*estimator.values(), *changes]))


def check(case: tuple[dict[str, Any], dict[str, Any]], *, within: float) -> None:
    """That the forecast of `case` is right up to a share `within`."""
    spec = experiment(*case)
    [found] = forecast(spec)
    assert found.peak_bytes == pytest.approx(measured_peak(spec), rel=within)
    assert sum(found.parts.values()) == found.peak_bytes
    assert min(found.parts.values()) >= 0


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_the_peak_of_estimators_that_differentiate(case) -> None:
    check(case, within=0.001)
