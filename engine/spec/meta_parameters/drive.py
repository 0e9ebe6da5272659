"""What is fed to a dynamical system."""

from typing import ClassVar, Literal

from engine.spec.meta_parameters.meta_parameter import HyperParameter, Slot
from engine.spec.options import option


class Drive(HyperParameter):
    """The constant input θ of a dynamical system."""

    title: ClassVar[str] = "Drive of a dynamical system"
    implementation: ClassVar[str] = "engine.meta_parameters.drive:Drive"
    slot: ClassVar[Slot] = "dataset"
    of_the_task: ClassVar[bool] = True
    outside_inner_loss: ClassVar[str] = "a dynamical system has no inner loss"

    kind: Literal["drive"] = "drive"
    initial: float = option(0.5, ge=-1e3, le=1e3)
    """Value at the start of the outer loop."""
