"""Meta-parameters: which parts of the learner are learned by the outer loop."""

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from engine.spec.options import Options, option

Scale = Literal["linear", "log"]


class MetaParameter(Options):
    """What the compatibility rules ask of every meta-parameter."""

    title: ClassVar[str]
    slot: ClassVar[str]
    """The slot of f_LEARN that it fills."""
    in_inner_loss: ClassVar[bool] = False
    """Whether it appears in the inner loss: only then has it an implicit gradient."""
    outside_inner_loss: ClassVar[str] = ""
    """Why its implicit gradient is zero, where it is."""
    only_dynamical: ClassVar[bool] = False
    """Whether only a dynamical system that reads it can learn it."""

    def entries(self, shapes: dict[str, tuple[int, ...]], horizon: int) -> int:
        """Number of scalars that the outer loop learns."""
        sizes = [prod(shape) for shape in shapes.values()]
        granularity = getattr(self, "granularity", "scalar")
        return {
            "scalar": 1,
            "per_tensor": len(sizes),
            "per_parameter": sum(sizes),
            "per_step": horizon,
        }[granularity]


class LearningRate(MetaParameter):
    """Step size of the inner optimizer, at the granularity that the question needs."""

    title: ClassVar[str] = "Learning rate"
    slot: ClassVar[str] = "optimizer"
    outside_inner_loss: ClassVar[str] = (
        "the learning rate does not appear in the inner loss, so its implicit gradient is zero"
    )

    kind: Literal["learning_rate"] = "learning_rate"
    granularity: Literal["scalar", "per_tensor", "per_parameter", "per_step"] = "scalar"
    """One value, or one for every tensor, parameter or inner step."""
    initial: float | None = option(None, gt=0.0, le=1e3)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""
    scale: Scale = "linear"
    """Whether the outer loop learns the value itself or its logarithm (which keeps it positive)."""


class WeightDecay(MetaParameter):
    """Coefficient of the quadratic penalty on the inner parameters, part of the inner loss."""

    title: ClassVar[str] = "Weight decay"
    slot: ClassVar[str] = "regularizer"
    in_inner_loss: ClassVar[bool] = True

    kind: Literal["weight_decay"] = "weight_decay"
    granularity: Literal["scalar", "per_tensor", "per_parameter"] = "scalar"
    """One value, or one for every tensor or parameter."""
    initial: float | None = option(None, gt=0.0, le=1e3)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""
    scale: Scale = "linear"
    """Whether the outer loop learns the value itself or its logarithm (which keeps it positive)."""


class MomentumCoefficient(MetaParameter):
    """Momentum μ of the inner optimizer; needs the inner optimizer `momentum`."""

    title: ClassVar[str] = "Momentum"
    slot: ClassVar[str] = "optimizer"
    outside_inner_loss: ClassVar[str] = (
        "momentum does not appear in the inner loss, so its implicit gradient is zero"
    )

    kind: Literal["momentum"] = "momentum"
    initial: float | None = option(None, ge=0.0, lt=1.0)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""


class Initialisation(MetaParameter):
    """The learner's initial parameters, as MAML learns them."""

    title: ClassVar[str] = "Initial parameters"
    slot: ClassVar[str] = "initial parameters"
    outside_inner_loss: ClassVar[str] = (
        "the stationary point of the inner loss does not depend on where the learner started"
    )

    kind: Literal["initialisation"] = "initialisation"

    def entries(self, shapes: dict[str, tuple[int, ...]], horizon: int) -> int:
        return sum(prod(shape) for shape in shapes.values())


class Drive(MetaParameter):
    """The constant input θ of a dynamical system."""

    title: ClassVar[str] = "Drive of a dynamical system"
    slot: ClassVar[str] = "dataset"
    outside_inner_loss: ClassVar[str] = "a dynamical system has no inner loss"
    only_dynamical: ClassVar[bool] = True

    kind: Literal["drive"] = "drive"
    initial: float = option(0.5, ge=-1e3, le=1e3)
    """Value at the start of the outer loop."""


AnyMetaParameter = Annotated[
    LearningRate | WeightDecay | MomentumCoefficient | Initialisation | Drive,
    Field(discriminator="kind"),
]
