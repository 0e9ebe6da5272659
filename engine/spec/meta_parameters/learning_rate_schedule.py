"""The learning rate of the inner optimizer as a curve over the inner loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class LearningRateSchedule(MetaParameter):
    """A learning rate that changes over the inner loop, by a curve with two learned coefficients.

    One value for every step, without a curve, is the kind learning_rate with granularity per_step.
    """

    title: ClassVar[str] = "Learning-rate schedule"
    implementation: ClassVar[str] = (
        "engine.meta_parameters.learning_rate_schedule:LearningRateSchedule"
    )
    slot: ClassVar[Slot] = "optimizer"
    provides: ClassVar[tuple[str, ...]] = ("learning_rate",)
    outside_inner_loss: ClassVar[str] = (
        "the learning rate does not appear in the inner loss, so its implicit gradient is zero"
    )

    kind: Literal["learning_rate_schedule"] = "learning_rate_schedule"
    shape: Literal["cosine", "linear", "exponential"] = "cosine"
    """The curve: half a cosine wave, a line, or a decay by the same factor at every step. The first
    two learn both ends, and the last where it starts and how much of that is left at the horizon;
    all learn logarithms, so that the learning rate stays positive."""
    start: float = option(0.1, gt=0.0, le=1e3)
    """Learning rate of the first inner step, at the start of the outer loop."""
    end: float = option(0.01, gt=0.0, le=1e3)
    """Learning rate that the schedule comes to at the horizon, at the start of the outer loop."""

    def entries(self, experiment: Experiment) -> int:
        return 2

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        if any(item.kind == "learning_rate" for item in experiment.meta_parameters):
            yield FieldError(
                f"{path}.kind",
                self.kind,
                "gives the learning rate of every step, so that 'learning_rate' would change "
                "nothing; allowed: one of the two",
            )
