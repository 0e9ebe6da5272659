"""Penalties on the inner parameters: their value in an inner loss, and their gradient in a step.

    (λ/2) ‖w‖²,      λ Σ (√(w² + ε²) − ε),      (ρ/2) ‖w − w_0‖²

The second is a smooth L1 penalty: within ε of λ‖w‖₁, and with a second derivative, λ/ε at w = 0,
which implicit differentiation needs. Gradients are written out: they need no automatic
differentiation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.trees import Params

if TYPE_CHECKING:
    from engine.problem import Hyper


def penalised(gradients: Params, params: Params, hyper: Hyper) -> Params:
    """∇(L + penalties) from ∇L, with the coefficients of a step."""
    if not is_zero(decay := hyper["weight_decay"]):
        gradients = {name: g + decay[name] * params[name] for name, g in gradients.items()}
    if (l1 := hyper.get("l1_penalty")) is not None:
        gradients = {
            name: g + l1[name] * params[name] / _length(params[name], hyper["l1_smoothing"][name])
            for name, g in gradients.items()
        }
    return gradients


def penalty(params: Params, hyper: Hyper) -> Tensor | float:
    """What is added to the inner loss; 0.0 where nothing is."""
    total: Tensor | float = 0.0
    if not is_zero(decay := hyper["weight_decay"]):
        total = total + sum(0.5 * (decay[name] * w**2).sum() for name, w in params.items())
    if (l1 := hyper.get("l1_penalty")) is not None:
        smoothing = hyper["l1_smoothing"]
        total = total + sum(
            (l1[name] * (_length(w, smoothing[name]) - smoothing[name])).sum()
            for name, w in params.items()
        )
    return total


def tied(gradients: Params, params: Params, start: Params, proximal: float) -> Params:
    """∇(L + (ρ/2)‖w − w_0‖²) from ∇L."""
    return {name: g + proximal * (params[name] - start[name]) for name, g in gradients.items()}


def distance(params: Params, start: Params, proximal: float) -> Tensor:
    """(ρ/2)‖w − w_0‖²."""
    return 0.5 * proximal * sum(((w - start[name]) ** 2).sum() for name, w in params.items())


def is_zero(decay: dict[str, Any]) -> bool:
    """Whether a coefficient is the number 0, so that its penalty can be left out."""
    first = next(iter(decay.values()))
    return isinstance(first, float) and first == 0.0


def _length(w: Tensor, smoothing: float) -> Tensor:
    """|w|, rounded off at 0."""
    return torch.sqrt(w**2 + smoothing**2)
