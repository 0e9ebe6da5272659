"""What an inner task without an inner loss refuses, and what only it can learn."""

from typing import Any

import pytest

from engine.spec import SpecError, validate

DRIVE = {"meta_parameters": [{"kind": "drive"}]}
BALANCING = {"inner_task": {"kind": "influence_balancing"}, **DRIVE}
NOISY = {"inner_task": {"kind": "noisy_quadratic"}}


@pytest.mark.parametrize("document", [BALANCING, NOISY])
def test_their_defaults_can_be_run(document: dict[str, Any]) -> None:
    experiment = validate(document)
    assert not experiment.inner_task.has_inner_loss
    assert experiment.meta_parameter_count() == 1


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (
            {**NOISY, "inner": {"optimizer": {"kind": "adam"}}},
            "inner.optimizer.kind",
            "'noisy_quadratic' has no inner loss to minimise, so it moves by itself; allowed: "
            "'sgd', of which it reads the learning rate at most",
        ),
        (
            {**NOISY, "inner": {"optimizer": {"kind": "sgd", "weight_decay": 0.1}}},
            "inner.optimizer.weight_decay",
            "allowed: 0",
        ),
        (
            {**NOISY, "meta_parameters": [{"kind": "learning_rate"}, {"kind": "initialisation"}]},
            "meta_parameters.1.kind",
            "does not depend on it; allowed: learning_rate",
        ),
        (
            {**NOISY, "meta_parameters": [{"kind": "weight_decay"}]},
            "meta_parameters.0.kind",
            "does not depend on it; allowed: learning_rate",
        ),
        (
            {**NOISY, "estimators": [{"kind": "implicit"}]},
            "estimators.0.kind",
            "no inner loss, so no stationary point",
        ),
        (
            {**DRIVE, "inner_task": {"kind": "quadratic"}},
            "meta_parameters.0.kind",
            "only an inner task that reads it can learn it",
        ),
        (
            {**DRIVE, "inner_task": {"kind": "influence_balancing", "positive": 24}},
            "inner_task.positive",
            "allowed: 0 to the dimension, 23",
        ),
    ],
)
def test_a_refusal_names_the_field_and_what_is_allowed(document, path: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        validate(document)
    [error] = refused.value.errors
    assert error.path == path
    assert message in error.message


def test_a_system_without_its_drive_is_told_what_is_missing() -> None:
    with pytest.raises(SpecError) as refused:
        validate({"inner_task": {"kind": "influence_balancing"}})
    first, second = refused.value.errors
    assert (first.path, second.path) == ("meta_parameters.0.kind", "meta_parameters")
    assert "allowed: drive among them" in second.message
