"""The network itself: the operations of a cell, or a policy that proposes architectures."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.inner_tasks.architecture_choice import DECISIONS
from engine.spec.inner_tasks.cell import OPERATIONS
from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class Architecture(MetaParameter):
    """Which operation stands on each edge of a cell, relaxed to a weight for each candidate (Liu,
    Simonyan and Yang, 2019, DARTS).

    The weights are the softmax of α, one number for each edge and operation, which starts at 0.
    """

    title: ClassVar[str] = "Architecture of a cell"
    implementation: ClassVar[str] = "engine.meta_parameters.architecture:Architecture"
    slot: ClassVar[Slot] = "architecture"
    of_the_task: ClassVar[bool] = True
    in_inner_loss: ClassVar[bool] = True

    kind: Literal["architecture"] = "architecture"

    def entries(self, experiment: Experiment) -> int:
        return len(experiment.inner_task.edges()) * len(OPERATIONS)


class Controller(MetaParameter):
    """A recurrent network that decides on an architecture, one decision after the other, each from
    those before it (Zoph and Le, 2017)."""

    title: ClassVar[str] = "Controller that draws architectures"
    implementation: ClassVar[str] = "engine.meta_parameters.controller:Controller"
    slot: ClassVar[Slot] = "architecture"
    replaces: ClassVar[bool] = True
    of_the_task: ClassVar[bool] = True
    draws_choices: ClassVar[bool] = True
    outside_inner_loss: ClassVar[str] = (
        "it decides which inner loss there is, and does not appear in it"
    )
    small: ClassVar[dict[str, Any]] = {"units": 3}

    kind: Literal["controller"] = "controller"
    units: int = option(16, ge=1, le=512, unit="units")
    """Width of the recurrent layer."""

    def shapes(self, decisions: dict[str, tuple[str, ...]]) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor of the network, in the order of the decisions."""
        found: dict[str, tuple[int, ...]] = {
            "recurrent.weight": (self.units, self.units),
            "recurrent.bias": (self.units,),
        }
        for name, choices in decisions.items():
            found[f"{name}.weight"] = (len(choices), self.units)
            found[f"{name}.bias"] = (len(choices),)
        *before, _ = decisions
        for name in before:
            found[f"{name}.embedding"] = (len(decisions[name]), self.units)
        return found

    def entries(self, experiment: Experiment) -> int:
        return sum(prod(shape) for shape in self.shapes(DECISIONS).values())
