"""Coefficients of the inner optimizer's update rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.meta_parameters.meta_parameter import HyperParameter, Slot
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class MomentumCoefficient(HyperParameter):
    """Momentum μ of the inner optimizer; needs the inner optimizer `momentum`."""

    title: ClassVar[str] = "Momentum"
    implementation: ClassVar[str] = "engine.meta_parameters.optimizer:MomentumCoefficient"
    surroundings: ClassVar[tuple[dict[str, Any], ...]] = (
        {"inner": {"optimizer": {"kind": "momentum"}}},
    )
    slot: ClassVar[Slot] = "optimizer"
    outside_inner_loss: ClassVar[str] = (
        "momentum does not appear in the inner loss, so its implicit gradient is zero"
    )

    kind: Literal["momentum"] = "momentum"
    initial: float | None = option(None, ge=0.0, lt=1.0)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""
    scale: Literal["linear", "logit"] = "linear"
    """Whether the outer loop learns the value itself, or the logarithm of its odds, which keeps it
    between 0 and 1."""

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


class AdamCoefficient(HyperParameter):
    """What only Adam has. θ holds logarithms or logits, so that every value is a valid one."""

    slot: ClassVar[Slot] = "optimizer"
    surroundings: ClassVar[tuple[dict[str, Any], ...]] = (
        {"inner": {"optimizer": {"kind": "adam", "epsilon": 0.05}}},
    )
    outside_inner_loss: ClassVar[str] = (
        "Adam's coefficients do not appear in the inner loss, so their implicit gradient is zero"
    )

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        optimizer = experiment.inner.optimizer
        if optimizer.kind == "adam":
            yield from super().refusals(experiment, path)
        else:
            yield FieldError(
                f"{path}.kind",
                self.kind,
                f"{self.kind} can be learned only where inner.optimizer.kind is 'adam', "
                f"not {optimizer.kind!r}",
            )


class Beta1(AdamCoefficient):
    """Adam's β₁, learned through the logarithm of its odds; needs the inner optimizer `adam`."""

    title: ClassVar[str] = "Adam's β₁"
    implementation: ClassVar[str] = "engine.meta_parameters.optimizer:Beta1"
    scale: ClassVar[str] = "logit"

    kind: Literal["beta1"] = "beta1"
    initial: float | None = option(None, gt=0.0, lt=1.0)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""


class Beta2(AdamCoefficient):
    """Adam's β₂, learned through the logarithm of its odds; needs the inner optimizer `adam`."""

    title: ClassVar[str] = "Adam's β₂"
    implementation: ClassVar[str] = "engine.meta_parameters.optimizer:Beta2"
    scale: ClassVar[str] = "logit"

    kind: Literal["beta2"] = "beta2"
    initial: float | None = option(None, gt=0.0, lt=1.0)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""


class Epsilon(AdamCoefficient):
    """Adam's ε, learned through its logarithm; needs the inner optimizer `adam`."""

    title: ClassVar[str] = "Adam's ε"
    implementation: ClassVar[str] = "engine.meta_parameters.optimizer:Epsilon"
    scale: ClassVar[str] = "log"

    kind: Literal["epsilon"] = "epsilon"
    initial: float | None = option(None, gt=0.0, le=1.0)
    """Value at the start of the outer loop; nothing means the inner optimizer's."""
