"""What every inner task declares of itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar

from engine.spec.errors import FieldError
from engine.spec.options import Part

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment

Shapes = dict[str, tuple[int, ...]]


def last_layer(names: Iterable[str]) -> list[str]:
    """Those of a model's tensors that belong to its last layer: whose names, in the order of the
    forward pass, begin as the last one's does."""
    *before, last = names
    prefix = last.rpartition(".")[0]
    return [name for name in (*before, last) if name.startswith(prefix)]


class InnerTask(Part):
    """What the compatibility rules and the sizes ask of every inner task."""

    has_inner_loss: ClassVar[bool] = True
    """Whether an inner optimizer minimises a loss; if not, the task is a dynamical system."""
    reads: ClassVar[tuple[str, ...]] = ()
    """Kinds of meta-parameters that the task itself has a place for. A dynamical system can learn
    these alone, and its transition reads each of them (`initialisation` means that its start may
    be learned); with an inner loss they come on top of what every learner has."""

    judges_gradients: ClassVar[bool] = False
    """Whether the meta-loss is made of inner gradients, so that it reads what the inner loss reads.
    First-order estimates then take its direct derivative alone, at parameters that stand still."""

    def refusals(self, experiment: Experiment) -> Iterator[FieldError]:
        """Why this inner task cannot work with the rest of `experiment`."""
        yield from ()

    def parameter_shapes(self) -> Shapes:
        """Name and shape of every tensor of the model, in the order of the forward pass."""
        raise TypeError(f"{type(self).__name__} does not say what parameters its model has")

    @property
    def differentiable(self) -> bool:
        """Whether the meta-loss has a gradient."""
        return True
