"""Penalties on the inner parameters."""

from typing import ClassVar, Literal

from engine.spec.meta_parameters.meta_parameter import HyperParameter, Scale, Slot
from engine.spec.options import option


class WeightDecay(HyperParameter):
    """Coefficient of the quadratic penalty on the inner parameters, part of the inner loss."""

    title: ClassVar[str] = "Weight decay"
    implementation: ClassVar[str] = "engine.meta_parameters.regularizer:WeightDecay"
    slot: ClassVar[Slot] = "regularizer"
    in_inner_loss: ClassVar[bool] = True

    kind: Literal["weight_decay"] = "weight_decay"
    granularity: Literal["scalar", "per_tensor", "per_parameter"] = "scalar"
    """One value, or one for every tensor or parameter."""
    initial: float | None = option(None, gt=0.0, le=1e3)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""
    scale: Scale = "linear"
    """Whether the outer loop learns the value itself or its logarithm (which keeps it positive)."""
