"""The learner's initial parameters."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class Initialisation(MetaParameter):
    """The learner's initial parameters, as MAML learns them.

    Where only the last layer is adapted, the layers before it are learned by the outer loop alone.
    """

    title: ClassVar[str] = "Initial parameters"
    implementation: ClassVar[str] = "engine.meta_parameters.initialisation:Initialisation"
    slot: ClassVar[Slot] = "initial parameters"
    replaces: ClassVar[bool] = True
    outside_inner_loss: ClassVar[str] = (
        "the stationary point of the inner loss does not depend on where the learner started"
    )

    kind: Literal["initialisation"] = "initialisation"
    adapts: Literal["all", "last_layer"] = "all"
    """What the inner loop moves: every parameter (MAML), or the last layer (ANIL)."""

    def entries(self, experiment: Experiment) -> int:
        shapes = experiment.inner_task.parameter_shapes()
        return sum(prod(shape) for shape in shapes.values())
