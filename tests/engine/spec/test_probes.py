"""What the probes' options accept."""

import pytest

from engine.spec import SpecError, validate


@pytest.mark.parametrize(
    ("probes", "path", "message"),
    [
        ({"oracle_precision": "float16"}, "probes.oracle_precision", "'run' or 'float64'"),
        ({"smoothed_draws": 2}, "probes.smoothed_draws", "multiple of 4"),
        ({"smoothed_draws": -4}, "probes.smoothed_draws", "greater than or equal to 0"),
    ],
)
def test_a_probe_that_there_is_not_is_refused(probes: dict, path: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        validate({"probes": probes})
    (error,) = refused.value.errors
    assert error.path == path
    assert message in error.message


def test_without_a_word_the_oracle_is_the_runs_and_nothing_is_smoothed() -> None:
    probes = validate({}).probes
    assert (probes.oracle_precision, probes.smoothed_draws) == ("run", 0)


def test_only_an_evolution_strategy_smooths() -> None:
    document = {"estimators": [{"kind": "unrolled"}, {"kind": "evolution", "sigma": 0.25}]}
    unrolled, evolution = validate(document).estimators
    assert (unrolled.smoothing, evolution.smoothing) == (None, 0.25)
