"""Test figures, pictures and oracles are counted: against an exact count of what a run does."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.building import build_problem
from engine.forecast.forecasting import forecast
from engine.forecast.meter import Meter
from engine.outer_loop import build_outer_loop
from engine.spec import validate

SMALL = {"inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": [8], "batch_size": 8}}
RATE = {"meta_parameters": [{"kind": "learning_rate"}]}
LEARNED = {
    "inner_task": {"kind": "task_family", "family": "softmax_regression"},
    "meta_parameters": [{"kind": "mlp_optimizer", "hidden": 4}],
    "objective": "average",
}
CASES: dict[str, dict[str, Any]] = {
    "all test examples": {**SMALL, **RATE, "inner": {"steps": 30}},
    "held-out tasks": {
        "inner_task": {"kind": "sinusoid", "test_tasks": 9},
        "meta_parameters": [{"kind": "initialisation"}],
        "inner": {"steps": 7},
    },
    "held-out episodes": {
        "inner_task": {"kind": "few_shot", "dataset": "dejavu", "test_episodes": 7},
        "meta_parameters": [{"kind": "initialisation"}],
        "inner": {"steps": 6},
    },
    "tuned Adam": {**LEARNED, "inner": {"steps": 6}},
    "a value of every step": {
        **SMALL,
        "meta_parameters": [{"kind": "learning_rate", "granularity": "per_step"}],
        "inner": {"steps": 12},
    },
    "a noisy quadratic in closed form": {
        "inner_task": {"kind": "noisy_quadratic", "dimension": 5},
        "meta_parameters": [{"kind": "learning_rate", "granularity": "per_step"}],
        "inner": {"steps": 12},
    },
}


class Exact:
    """Counts what a run computes outside of its estimates."""

    def __init__(self) -> None:
        self.operations = self.flops = self.bytes = 0

    def of(self, call: Any) -> None:
        with Meter(answers=False) as meter:
            call()
        self.operations += meter.work.operations
        self.flops += meter.work.flops
        self.bytes = max(self.bytes, meter.peak)


@pytest.mark.parametrize("name", CASES)
def test_what_a_run_tests_and_draws_is_counted(name: str) -> None:
    """A whole run, probe by probe: the operations and the floating-point operations of its test
    figures, pictures and closed-form oracles."""
    torch.set_num_threads(1)
    closed = "closed form" in name
    spec = validate({
        **CASES[name], "outer": {"steps": 5}, "device": "cpu",
        "probes": {"every": 2, "oracle": closed, "test": True, "memory": False},
    })  # fmt: skip
    [found] = forecast(spec)
    loop, exact = build_outer_loop(spec, build_problem(spec)), Exact()
    for step in range(5):
        loop.observe()
        if step % 2 == 0:
            exact.of(loop.probe)
            exact.of(loop.test_figures)
            exact.of(loop.pictures)
        loop.update()
    # Comparing estimates with the oracle takes a few operations of its own.
    assert found.probes.operations == pytest.approx(exact.operations, rel=0.15 if closed else 0.02)
    assert found.probes.flops == pytest.approx(exact.flops, rel=0.01)
    assert found.probe_bytes == pytest.approx(exact.bytes, rel=0.1, abs=20_000)


def test_a_search_through_all_architectures_is_made_once() -> None:
    spec = {
        "inner_task": {"kind": "architecture_choice", "dataset": "digits"},
        "meta_parameters": [{"kind": "controller"}],
        "estimators": [{"kind": "reinforce"}],
        "inner": {"steps": 5}, "device": "cpu",
        "probes": {"oracle": False, "every": 1, "memory": False},
    }  # fmt: skip
    [few], [many] = (forecast(validate({**spec, "outer": {"steps": steps}})) for steps in (2, 20))
    assert many.probes.flops < 2 * few.probes.flops


def test_the_surface_below_proposals_is_counted() -> None:
    """41 values of θ, and the particles of a picture."""
    estimator = {"kind": "evolution", "particles": 8}
    spec = {**SMALL, **RATE, "estimators": [estimator], "inner": {"steps": 20}, "device": "cpu"}
    drawn, plain = (
        forecast(
            validate({
                **spec, "outer": {"steps": 1}, "probes": {"oracle": False, "test": test}
            })
        )[0]
        for test in (True, False)
    )  # fmt: skip
    more = drawn.probes.flops - plain.probes.flops
    of_a_particle = plain.estimate.flops / 8
    # The first step is the same for all of them; and one inner loop more is tested.
    assert 46 * of_a_particle < more < 51 * of_a_particle
