"""Problems that the engine's tests share."""

from typing import Any

import torch

from engine.building import build_problem
from engine.problem import Learner
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


class InfluenceBalancing:
    """Long-range influence that a short window gets wrong (Tallec and Ollivier, 2017).

    s_{t+1} = A s_t + θ · signs, with A = ½ I + ½ superdiagonal; the loss is ½ (s[0] − 1)².
    The inner loop starts from the steady state of the present θ.
    """

    objective = "final"

    def __init__(self, horizon: int, *, positive: int = 10, size: int = 23) -> None:
        self.horizon = horizon
        identity = torch.eye(size, dtype=torch.float64)
        shifted = torch.diag(torch.ones(size - 1, dtype=torch.float64), 1)
        self.matrix = 0.5 * identity + 0.5 * shifted
        self.signs = torch.ones(size, dtype=torch.float64)
        self.signs[positive:] = -1.0
        self.steady = torch.linalg.solve(identity - self.matrix, self.signs)

    def initial_meta(self, seed: int) -> dict[str, torch.Tensor]:
        return {"theta": torch.tensor(0.5, dtype=torch.float64)}

    def initial_state(self, meta: dict, seed: int) -> dict:
        return {"params": {"s": meta["theta"].detach() * self.steady}}

    def step(self, state: dict, meta: dict, t: int) -> dict:
        return {"params": {"s": self.matrix @ state["params"]["s"] + meta["theta"] * self.signs}}

    def meta_loss(self, state: dict, meta: dict, t: int) -> torch.Tensor:
        return 0.5 * (state["params"]["s"][0] - 1.0) ** 2
