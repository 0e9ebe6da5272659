"""What `python -m engine gradient` measures of every estimator."""

import math

from engine.comparison import compare_gradients
from engine.spec import validate


def entries(**probes) -> list[dict]:
    document = {
        "inner_task": {"kind": "quadratic", "dimension": 4},
        "inner": {"steps": 8},
        "estimators": [{"kind": "unrolled"}, {"kind": "evolution", "sigma": 0.05}],
        "probes": {"draws": 12, **probes},
    }
    return compare_gradients(validate(document))["estimators"]


def test_an_estimator_that_draws_has_confidence_intervals() -> None:
    unrolled, evolution = entries()
    for name in ("bias", "bias_relative", "variance", "variance_relative"):
        assert evolution[f"{name}_low"] <= evolution[name] <= evolution[f"{name}_high"]
        assert unrolled[f"{name}_low"] is unrolled[f"{name}_high"] is None


def test_an_evolution_strategy_stands_beside_its_smoothed_target() -> None:
    unrolled, evolution = entries(smoothed_draws=40)
    assert "smoothed_norm" not in unrolled
    assert 0.0 < evolution["smoothing_distance"] < 0.5
    assert math.isfinite(evolution["bias_smoothed_relative"])
    assert "smoothed_norm" not in entries()[1]


def test_the_oracle_in_double_precision_shows_the_rounding_of_a_run() -> None:
    unrolled, _ = entries(oracle_precision="float64")
    assert 0.0 < unrolled["bias_relative"] < 1e-5
