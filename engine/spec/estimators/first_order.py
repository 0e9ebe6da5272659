"""Options of first-order estimates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.estimator import Estimator, Need

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class FirstOrder(Estimator):
    """Takes dw_t/dw_0 as the identity: for learned initial parameters."""

    only_initialisation: ClassVar[bool] = True

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        for item in experiment.meta_parameters:
            if item.kind != "initialisation":
                yield FieldError(
                    f"{path}.kind",
                    self.kind,
                    f"cannot learn {item.kind!r}: it follows the initial parameters only; "
                    "allowed meta-parameters: initialisation",
                )


class FOMAML(FirstOrder):
    """First-order MAML: the gradient at the learned parameters, without second derivatives."""

    title: ClassVar[str] = "First-order MAML"

    kind: Literal["fomaml"] = "fomaml"

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("start", "loss_gradient")


class Reptile(FirstOrder):
    """θ − w_T: from the learned parameters back to the first ones; never asks the meta-loss."""

    title: ClassVar[str] = "Reptile"
    differentiates: ClassVar[bool] = False

    kind: Literal["reptile"] = "reptile"

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("start",)
