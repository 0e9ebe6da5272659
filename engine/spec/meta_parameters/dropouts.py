"""Dropout rates of the inner task's model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class Dropouts(MetaParameter):
    """Three dropout rates of an LSTM, learned as logits: dropout acts while the learner learns,
    and not where it is judged."""

    title: ClassVar[str] = "Dropout rates"
    implementation: ClassVar[str] = "engine.meta_parameters.dropouts:Dropouts"
    slot: ClassVar[Slot] = "regularizer"
    small: ClassVar[dict[str, Any]] = {"temperature": 0.3}
    of_the_task: ClassVar[bool] = True
    in_inner_loss: ClassVar[bool] = True
    only_in_inner_loss: ClassVar[bool] = True

    kind: Literal["dropouts"] = "dropouts"
    embedding: float = option(0.1, gt=0.0, lt=1.0)
    """First rate at which a character's whole vector is left out, in a minibatch."""
    input: float = option(0.1, gt=0.0, lt=1.0)
    """First rate at which entries of the vectors that enter the model are left out, in a window."""
    hidden: float = option(0.1, gt=0.0, lt=1.0)
    """First rate at which units of what each layer says are left out, in a window."""
    temperature: float = option(0.1, gt=0.0, le=10.0)
    """Width of the smooth step from left out to kept, which has a derivative by the rate; towards
    0 a mask becomes all or nothing."""

    def entries(self, experiment: Experiment) -> int:
        return 3
