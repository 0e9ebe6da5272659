"""The learning rate of the inner optimizer."""

from typing import ClassVar, Literal

from engine.spec.meta_parameters.meta_parameter import HyperParameter, Scale, Slot
from engine.spec.options import option


class LearningRate(HyperParameter):
    """Step size of the inner optimizer.

    One for every parameter, beside learned initial parameters, is Meta-SGD (Li et al., 2017): on
    the linear scale each may turn negative, so that direction and step size are learned.
    """

    title: ClassVar[str] = "Learning rate"
    implementation: ClassVar[str] = "engine.meta_parameters.learning_rate:LearningRate"
    slot: ClassVar[Slot] = "optimizer"
    outside_inner_loss: ClassVar[str] = (
        "the learning rate does not appear in the inner loss, so its implicit gradient is zero"
    )

    kind: Literal["learning_rate"] = "learning_rate"
    granularity: Literal["scalar", "per_tensor", "per_parameter", "per_step"] = "scalar"
    """One value, or one for every tensor, parameter or inner step."""
    initial: float | None = option(None, gt=0.0, le=1e3)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""
    scale: Scale = "linear"
    """Whether the outer loop learns the value itself, of either sign, or its logarithm, which
    keeps it positive."""
