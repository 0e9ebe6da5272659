"""What every meta-parameter declares of itself, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.options import Part

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment

Slot = Literal[
    "initial parameters",
    "optimizer",
    "loss function",
    "dataset",
    "architecture",
    "regularizer",
    "augmentation",
]
"""The parts of f_LEARN that the outer loop can learn."""
Scale = Literal["linear", "log"]


class MetaParameter(Part):
    """Declared capabilities: the builder, the compatibility rules and the sizes read them."""

    slot: ClassVar[Slot]
    replaces: ClassVar[bool] = False
    """Whether it takes the place of what its slot holds, so that nothing else can fill that."""
    of_the_task: ClassVar[bool] = False
    """Whether only inner tasks that name its kind among what they read can learn it."""
    provides: ClassVar[tuple[str, ...]] = ()
    """Hyper-parameters, beside one of its own name, that it gives a value at every step."""
    in_inner_loss: ClassVar[bool] = False
    """Whether it appears in the inner loss: only then has it an implicit gradient."""
    outside_inner_loss: ClassVar[str] = ""
    """Why its implicit gradient is zero, where it is."""
    only_in_inner_loss: ClassVar[bool] = False
    """Whether neither the initial state nor the update rule nor the meta-loss reads it: first-order
    estimates, which hold inner gradients still, then leave out all that it does."""
    draws_choices: ClassVar[bool] = False
    """Whether it is a policy: the meta-loss is its mean over the choices that this draws."""

    def entries(self, experiment: Experiment) -> int:
        """Number of scalars that the outer loop learns."""
        raise TypeError(f"{type(self).__name__} does not say how many entries it has")

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        """Why this meta-parameter, at `path` of `experiment`, cannot work with the rest of it."""
        task = experiment.inner_task
        if self.of_the_task and task.has_inner_loss and self.kind not in task.reads:
            yield FieldError(f"{path}.kind", self.kind, self._who_reads_it())

    def _who_reads_it(self) -> str:
        from engine.spec.installed import INNER_TASKS

        readers = [kind for kind, model in INNER_TASKS.items() if self.kind in model.reads]
        return (
            "only an inner task that reads it can learn it; allowed inner_task.kind: "
            f"{', '.join(readers) or 'none of those installed'}"
        )


class HyperParameter(MetaParameter):
    """A number of the update rule or of a penalty, or one for every tensor, parameter or step."""

    def entries(self, experiment: Experiment) -> int:
        sizes = [prod(shape) for shape in experiment.inner_parameter_shapes().values()]
        granularity = getattr(self, "granularity", "scalar")
        return {
            "scalar": 1,
            "per_tensor": len(sizes),
            "per_parameter": sum(sizes),
            "per_step": experiment.inner.steps,
        }[granularity]

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        scale = getattr(self, "scale", "linear")
        if scale == "linear":
            return
        start = self.initial
        if start is None:
            start = getattr(experiment.inner.optimizer, self.kind, None)
        if not start:
            field = "scale" if "scale" in type(self).model_fields else "initial"
            through = {"log": "logarithm", "logit": "logit"}[scale]
            yield FieldError(
                f"{path}.{field}",
                getattr(self, field),
                f"a value learned through its {through} must start above 0; give {path}.initial",
            )
