"""What makes an estimator fit: edits that the spec allows, forecast as they are."""

from __future__ import annotations

from typing import Any

import pytest

from engine.forecast import EstimatorForecast, Machine
from engine.forecast.fit import fit
from engine.forecast.fixes import Fix, fixes
from engine.forecast.forecasting import forecast
from engine.forecast.remedies import PRICES
from engine.spec import Experiment, validate
from engine.spec.editing import edited

LONG = {
    "inner_task": {"kind": "image_mlp", "dataset": "digits", "hidden": [128]},
    "inner": {"steps": 4000},
    "meta_parameters": [{"kind": "learning_rate", "initial": 0.1}],
    "probes": {"oracle": False},
    "device": "cpu",
}


def one(experiment: Experiment) -> EstimatorForecast:
    [found] = forecast(experiment)
    return found


def found_fixes(
    estimators: list[dict[str, Any]], memory: float, position: int = 0, **changes: Any
) -> tuple[Experiment, Machine, list[Fix]]:
    experiment = validate({**LONG, "estimators": estimators, **changes})
    machine = Machine(name="here", device="cpu", memory_bytes=memory)
    asked = experiment.model_copy(update={"estimators": [experiment.estimators[position]]})
    return experiment, machine, fixes(experiment, one(asked), one, machine, position)


CASES = [
    ([{"kind": "unrolled", "storage": "full"}], 0.3e9),
    ([{"kind": "evolution", "particles": 4096, "chunk": 4096}], 0.3e9),
]


@pytest.mark.parametrize(("estimators", "memory"), CASES, ids=["unrolled", "evolution"])
def test_every_fix_is_allowed_fits_and_needs_what_it_says(estimators, memory) -> None:
    experiment, machine, several = found_fixes(estimators, memory)
    assert several
    for fix in several:
        changed = validate(edited(experiment.model_dump(mode="json"), fix.edits))
        assert one(changed) == fix.forecast
        assert fix.fit == fit(fix.forecast, machine)
        assert fix.fit.verdict != "will not fit"
    order = [
        (fix.fit.verdict == "tight", PRICES.index(fix.price), fix.forecast.run_bytes)
        for fix in several
    ]
    assert order == sorted(order)


def test_a_full_unroll_gets_checkpoints_tangents_and_windows() -> None:
    *_, several = found_fixes([{"kind": "unrolled", "storage": "full"}], 0.3e9)
    edits = {fix.name: fix.edits for fix in several}
    assert edits["checkpointed storage"] == {"estimators.0.storage": "checkpoint"}
    assert edits["forward mode"] == {"estimators.0": {"kind": "forward_mode"}}
    assert edits["window 50"]["estimators.0"]["window"] == 50
    [window] = [fix for fix in several if fix.name == "window 50"]
    assert (window.price, window.sentence.endswith("biased")) == ("bias", True)


def test_paths_are_those_of_the_whole_spec() -> None:
    estimators = [{"kind": "truncated"}, {"kind": "unrolled", "storage": "full"}]
    *_, several = found_fixes(estimators, 0.3e9, 1)
    assert {"estimators.1.storage": "checkpoint"} in [fix.edits for fix in several]
    assert not any(path.startswith("estimators.0") for fix in several for path in fix.edits)


def test_implicit_is_offered_where_the_inner_loop_ends_and_not_elsewhere() -> None:
    """docs/results/advice-evidence.json."""
    convex = {
        "inner_task": {**LONG["inner_task"], "hidden": [], "batch_size": None},
        "inner": {"steps": 4000, "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
        "meta_parameters": [{"kind": "weight_decay", "initial": 0.05}],
    }
    full = [{"kind": "unrolled", "storage": "full"}]
    names = {fix.name for fix in found_fixes(full, 0.2e9, **convex)[2]}
    assert "implicit differentiation" in names
    far = {**convex, "inner": {**convex["inner"], "steps": 2000}}
    far["meta_parameters"] = [{"kind": "weight_decay", "initial": 1e-6}]
    assert "implicit differentiation" not in {
        fix.name for fix in found_fixes(full, 0.15e9, **far)[2]
    }


def test_what_fits_needs_no_fix() -> None:
    *_, several = found_fixes([{"kind": "forward_mode"}], 8e9)
    assert several == []


def test_a_budget_is_kept_by_the_fixes_too() -> None:
    full = [{"kind": "unrolled", "storage": "full"}]
    *_, several = found_fixes(full, 64e9, budget={"bytes": 50e6})
    assert several
    assert all(fix.forecast.peak_bytes <= 50e6 for fix in several)
