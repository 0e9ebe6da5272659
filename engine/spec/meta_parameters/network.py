"""The weights of a learner whose inner loop moves none of them."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class Network(MetaParameter):
    """The weights of the learner's network, which its inner loop reads and leaves as they are.

    They are the parameters that the learner starts with, and those that it ends with: what it
    learns from an episode is in its state.
    """

    title: ClassVar[str] = "Weights of the learner's network"
    implementation: ClassVar[str] = "engine.meta_parameters.network:Network"
    slot: ClassVar[Slot] = "initial parameters"
    replaces: ClassVar[bool] = True
    of_the_task: ClassVar[bool] = True
    outside_inner_loss: ClassVar[str] = "a learner that minimises nothing has no inner loss"

    kind: Literal["network"] = "network"

    def entries(self, experiment: Experiment) -> int:
        shapes = experiment.inner_task.network_shapes()
        return sum(prod(shape) for shape in shapes.values())
