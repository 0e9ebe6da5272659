"""The network itself: the operations of a cell, or a policy that proposes architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.inner_tasks.cell import OPERATIONS
from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot

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
