"""Counted work of an estimate against an exact count of a later one of a real run."""

from __future__ import annotations

from typing import Any

import pytest

from engine.building import build_problem
from engine.forecast.costs import SEEN
from engine.forecast.forecasting import forecast
from engine.forecast.meter import Meter
from engine.outer_loop import build_outer_loop
from tests.engine.forecast.test_peaks import AVERAGE, WEIGHT_DECAY, experiment

CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "unrolled", "storage": "full"}, {}),
    ({"kind": "unrolled", "storage": "checkpoint", "segment": 4}, AVERAGE),
    ({"kind": "truncated", "mode": "windows", "window": 6, "online": True}, AVERAGE),
    ({"kind": "self_tuning", "window": 6}, WEIGHT_DECAY),
    ({"kind": "evolution", "particles": 20, "chunk": 4}, {}),
    ({"kind": "evolution", "mode": "pes", "window": 6, "particles": 24}, AVERAGE),
]


@pytest.mark.parametrize(("estimator", "changes"), CASES, ids=lambda value: str(value)[:60])
def test_an_estimate_takes_the_operations_that_were_counted(
    estimator: dict[str, Any], changes: dict[str, Any]
) -> None:
    spec = experiment(estimator, {**changes, "inner": {"steps": 18}, "outer": {"steps": 3}})
    loop = build_outer_loop(spec, build_problem(spec))
    loop.observe()
    with Meter(answers=False) as exact:
        loop.observe()
    [found] = forecast(spec)
    assert found.estimate.flops == pytest.approx(exact.work.flops, rel=0.05)
    assert found.estimate.operations == pytest.approx(exact.work.operations, rel=0.05)


@pytest.mark.parametrize(
    "estimator",
    [
        {"kind": "unrolled", "storage": "full"},
        {"kind": "evolution", "particles": 4},
        {"kind": "elites", "population": 6, "elites": 2},
    ],
    ids=lambda value: value["kind"],
)
def test_the_memory_probe_repeats_the_estimates_that_were_counted(
    estimator: dict[str, Any],
) -> None:
    probes = {"every": 1, "oracle": False, "memory": True, "test": False}
    changes = {"inner": {"steps": 12}, "outer": {"steps": 2, "meta_batch": 3}, "probes": probes}
    spec = experiment(estimator, changes)
    loop = build_outer_loop(spec, build_problem(spec))
    loop.observe()
    with Meter(answers=False) as exact:
        loop.probe()
    [found] = forecast(spec)
    seen = found.probes * (1.0 / spec.outer.steps)
    assert seen.flops == pytest.approx(exact.work.flops, rel=0.05)
    assert seen.operations == pytest.approx(SEEN * exact.work.operations, rel=0.05)
