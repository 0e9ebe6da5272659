"""Coefficients of the inner optimizer's update rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.meta_parameters.meta_parameter import HyperParameter, Slot
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class MomentumCoefficient(HyperParameter):
    """Momentum μ of the inner optimizer; needs the inner optimizer `momentum`."""

    title: ClassVar[str] = "Momentum"
    implementation: ClassVar[str] = "engine.meta_parameters.optimizer:MomentumCoefficient"
    slot: ClassVar[Slot] = "optimizer"
    outside_inner_loss: ClassVar[str] = (
        "momentum does not appear in the inner loss, so its implicit gradient is zero"
    )

    kind: Literal["momentum"] = "momentum"
    initial: float | None = option(None, ge=0.0, lt=1.0)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        optimizer = experiment.inner.optimizer
        if optimizer.kind != "momentum":
            yield FieldError(
                f"{path}.kind",
                self.kind,
                "momentum can be learned only where inner.optimizer.kind is 'momentum', "
                f"not {optimizer.kind!r}",
            )
