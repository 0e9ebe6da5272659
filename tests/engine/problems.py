"""Problems that the engine's tests share."""

from typing import Any

from engine.building import build_problem
from engine.problem import Learner, Problem
from engine.spec import validate

EVERY_HYPER_PARAMETER = [
    {"kind": "learning_rate", "granularity": "per_step"},
    {"kind": "weight_decay", "initial": 0.1, "scale": "log"},
    {"kind": "momentum"},
    {"kind": "initialisation"},
]


def quadratic(
    *meta_parameters: dict[str, Any],
    optimizer: dict[str, Any] | None = None,
    steps: int = 25,
    objective: str = "final",
    **task: Any,
) -> Learner:
    """A float64 quadratic learner."""
    document = {
        "inner_task": {"kind": "quadratic", "dimension": 7, "condition_number": 20.0, **task},
        "inner": {"steps": steps, "optimizer": optimizer or {"kind": "sgd"}},
        "meta_parameters": list(meta_parameters) or [{"kind": "learning_rate"}],
        "objective": objective,
        "precision": "float64",
    }
    return build_problem(validate(document))


def influence_balancing(horizon: int, *, objective: str = "final", **task: Any) -> Problem:
    """The float64 system whose short windows get the sign wrong; θ is `drive`, a scalar of 0.5."""
    document = {
        "inner_task": {"kind": "influence_balancing", **task},
        "inner": {"steps": horizon},
        "meta_parameters": [{"kind": "drive"}],
        "objective": objective,
        "precision": "float64",
    }
    return build_problem(validate(document))
