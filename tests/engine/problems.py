"""Problems that the engine's tests share."""

from typing import Any

import torch

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


def symmetric_basis(size: int) -> torch.Tensor:
    """The eigenvectors of `symmetric`, as columns."""
    generator = torch.Generator().manual_seed(0)
    basis, _ = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
    return basis


def symmetric(eigenvalues: list[float]) -> torch.Tensor:
    basis = symmetric_basis(len(eigenvalues))
    return basis @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ basis.T


class Saddle:
    """L(w, θ) = ½ wᵀAw − θᵀw with an indefinite A, whose learner lands on the stationary point
    w* = A⁻¹θ; F = ½ ‖w − c‖², so dF/dθ = A⁻¹(w* − c)."""

    horizon, objective = 1, "final"

    def __init__(self) -> None:
        self.matrix = symmetric([-1.0, -0.2, 0.5, 2.0])
        self.target = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)

    def initial_meta(self, seed: int) -> dict:
        return {"force": torch.tensor([0.3, 0.1, -0.7, 1.0], dtype=torch.float64)}

    def initial_state(self, meta: dict, seed: int) -> dict:
        return {"params": {"w": torch.zeros_like(self.target)}}

    def step(self, state: dict, meta: dict, t: int) -> dict:
        return {"params": {"w": torch.linalg.solve(self.matrix, meta["force"])}}

    def meta_loss(self, state: dict, meta: dict, t: int) -> torch.Tensor:
        return 0.5 * ((state["params"]["w"] - self.target) ** 2).sum()

    def inner_loss(self, params: dict, meta: dict) -> torch.Tensor:
        w = params["w"]
        return 0.5 * w @ self.matrix @ w - meta["force"] @ w
