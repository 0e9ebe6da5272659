"""Penalties on the inner parameters."""

from typing import Any, ClassVar, Literal

from engine.spec.meta_parameters.meta_parameter import HyperParameter, Scale, Slot
from engine.spec.options import option


class WeightDecay(HyperParameter):
    """Coefficient of the quadratic penalty on the inner parameters, part of the inner loss."""

    title: ClassVar[str] = "Weight decay"
    implementation: ClassVar[str] = "engine.meta_parameters.regularizer:WeightDecay"
    small: ClassVar[dict[str, Any]] = {"initial": 0.03}
    slot: ClassVar[Slot] = "regularizer"
    in_inner_loss: ClassVar[bool] = True

    kind: Literal["weight_decay"] = "weight_decay"
    granularity: Literal["scalar", "per_tensor", "per_parameter"] = "scalar"
    """One value, or one for every tensor or parameter."""
    initial: float | None = option(None, gt=0.0, le=1e3)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""
    scale: Scale = "linear"
    """Whether the outer loop learns the value itself or its logarithm (which keeps it positive)."""


class L1Penalty(HyperParameter):
    """Coefficient λ of an L1 penalty on the inner parameters, part of the inner loss; it favours
    parameters that are zero.

    λ Σ (√(w² + ε²) − ε): smooth, so that implicit differentiation may learn it too.
    """

    title: ClassVar[str] = "L1 penalty"
    implementation: ClassVar[str] = "engine.meta_parameters.regularizer:L1Penalty"
    small: ClassVar[dict[str, Any]] = {"smoothing": 0.1}
    slot: ClassVar[Slot] = "regularizer"
    in_inner_loss: ClassVar[bool] = True

    kind: Literal["l1_penalty"] = "l1_penalty"
    granularity: Literal["scalar", "per_tensor", "per_parameter"] = "scalar"
    """One value, or one for every tensor or parameter."""
    initial: float = option(0.001, gt=0.0, le=1e3)
    """Value at the start of the outer loop."""
    scale: Scale = "linear"
    """Whether the outer loop learns the value itself or its logarithm (which keeps it positive)."""
    smoothing: float = option(0.05, gt=0.0, le=10.0)
    """Width ε around zero in which the penalty is rounded off: the curvature there is λ/ε, and
    inner steps must be small enough for it."""
