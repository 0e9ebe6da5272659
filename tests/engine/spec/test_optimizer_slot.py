"""What optimizers and penalties refuse as meta-parameters, and how many entries they have."""

import pytest

from engine.spec import SpecError, validate

SCHEDULE = {"kind": "learning_rate_schedule"}
ADAM = {"steps": 5, "optimizer": {"kind": "adam"}}


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (
            {"meta_parameters": [{"kind": "learning_rate"}, SCHEDULE]},
            "meta_parameters.1.kind",
            "'learning_rate' would change nothing; allowed: one of the two",
        ),
        (
            {"meta_parameters": [SCHEDULE], "estimators": [{"kind": "implicit"}]},
            "estimators.0.kind",
            "its implicit gradient is zero",
        ),
        (
            {"meta_parameters": [{**SCHEDULE, "start": 0.0}]},
            "meta_parameters.0.start",
            "greater than 0",
        ),
        (
            {"meta_parameters": [{"kind": "beta1"}]},
            "meta_parameters.0.kind",
            "only where inner.optimizer.kind is 'adam', not 'sgd'",
        ),
        (
            {
                "inner": {"optimizer": {"kind": "adam", "beta1": 0.0}},
                "meta_parameters": [{"kind": "beta1"}],
            },
            "meta_parameters.0.initial",
            "through its logit must start above 0; give meta_parameters.0.initial",
        ),
        (
            {
                "inner": {"optimizer": {"kind": "momentum"}},
                "meta_parameters": [{"kind": "momentum", "scale": "logit", "initial": 0.0}],
            },
            "meta_parameters.0.scale",
            "through its logit must start above 0; give meta_parameters.0.initial",
        ),
        (
            {"inner": ADAM, "meta_parameters": [{"kind": "beta2", "initial": 1.0}]},
            "meta_parameters.0.initial",
            "less than 1",
        ),
        (
            {"meta_parameters": [{"kind": "learning_rate"}, {"kind": "mlp_optimizer"}]},
            "meta_parameters.1.kind",
            "'mlp_optimizer' fills the slot 'optimizer' by itself",
        ),
        (
            {"meta_parameters": [{"kind": "mlp_optimizer"}, {"kind": "meta_lstm"}]},
            "meta_parameters.1.kind",
            "allowed: one of 'mlp_optimizer' and 'meta_lstm'",
        ),
        (
            {"inner": ADAM, "meta_parameters": [{"kind": "lstm_optimizer"}]},
            "meta_parameters.0.kind",
            "'adam' would change nothing; allowed: inner.optimizer.kind 'sgd'",
        ),
        (
            {
                "meta_parameters": [{"kind": "lstm_optimizer"}],
                "estimators": [{"kind": "implicit"}],
            },
            "estimators.0.kind",
            "a learned optimizer does not appear in the inner loss",
        ),
        (
            {
                "inner_task": {"kind": "noisy_quadratic"},
                "meta_parameters": [{"kind": "mlp_optimizer"}],
            },
            "meta_parameters.0.kind",
            "moves by itself and does not depend on it; allowed: learning_rate",
        ),
        (
            {"meta_parameters": [{"kind": "l1_penalty", "initial": 0.0}]},
            "meta_parameters.0.initial",
            "greater than 0",
        ),
        (
            {"inner_task": {"kind": "task_family", "augmentation": 0.5}},
            "inner_task.augmentation",
            "greater than or equal to 1",
        ),
        (
            {"inner_task": {"kind": "influence_balancing"}, "meta_parameters": [SCHEDULE]},
            "meta_parameters.0.kind",
            "moves by itself and does not depend on it; allowed: drive",
        ),
    ],
)
def test_refusals(document: dict, path: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        validate(document)
    errors = {error.path: str(error) for error in refused.value.errors}
    assert message in errors[path]


def test_entries() -> None:
    noisy = validate({"inner_task": {"kind": "noisy_quadratic"}, "meta_parameters": [SCHEDULE]})
    assert noisy.meta_parameter_count() == 2
    per_weight = {"kind": "l1_penalty", "granularity": "per_parameter"}
    assert validate({"meta_parameters": [per_weight]}).meta_parameter_count() == 2410
    mlp = {"kind": "mlp_optimizer", "hidden": 8}
    network = 27 * 8 + 8 + 8 * 8 + 8 + 8 * 2 + 2
    assert validate({"meta_parameters": [mlp]}).meta_parameter_count() == network
    lstm = {"kind": "lstm_optimizer"}  # the paper's two layers of 20
    cells = (2 + 20) * 80 + 80 + (20 + 20) * 80 + 80
    assert validate({"meta_parameters": [lstm]}).meta_parameter_count() == cells + 21
    kinds = [{"kind": name} for name in ("beta1", "beta2", "epsilon")]
    assert validate({"inner": ADAM, "meta_parameters": kinds}).meta_parameter_count() == 3
