"""Options of first-order estimates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.estimator import Estimator, Need

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


def refused_meta_parameters(
    kind: str, experiment: Experiment, path: str, why: str
) -> Iterator[FieldError]:
    """All that are no initial parameters."""
    for item in experiment.meta_parameters:
        if item.kind != "initialisation":
            yield FieldError(
                f"{path}.kind",
                kind,
                f"cannot learn {item.kind!r}: {why}; allowed meta-parameters: initialisation",
            )


class FOMAML(Estimator):
    """First-order MAML: the adjoint without second derivatives, for every meta-parameter.

    It flows through the update rule alone, past inner gradients that are held still.
    """

    title: ClassVar[str] = "First-order MAML"
    implementation: ClassVar[str] = "engine.estimators.first_order:FOMAML"

    kind: Literal["fomaml"] = "fomaml"
    storage: Literal["full", "per_step", "checkpoint"] = "checkpoint"
    """Keep the graph of all updates; or the state of every step; or states at checkpoints, for one
    more gradient of each step."""

    @property
    def label(self) -> str:
        storage = f", {self.storage.replace('_', ' ')}" if self.storage != "checkpoint" else ""
        return f"{self.title}{storage}"

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("start", "loss_gradient")

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        if not experiment.inner_task.has_inner_loss:
            why = f"{experiment.inner_task.kind!r} has no inner gradient to hold still"
            yield from refused_meta_parameters(self.kind, experiment, path, why)
        judges_gradients = experiment.inner_task.judges_gradients
        for item in experiment.meta_parameters:
            if item.only_in_inner_loss and not judges_gradients:
                yield FieldError(
                    f"{path}.kind",
                    self.kind,
                    f"cannot learn {item.kind!r}: it acts through inner gradients alone, which are "
                    "held still; allowed: an estimator with second derivatives",
                )
            if judges_gradients and not item.only_in_inner_loss:
                yield FieldError(
                    f"{path}.kind",
                    self.kind,
                    f"cannot learn {item.kind!r}: of a meta-loss made of gradients it takes the "
                    "direct derivative alone; allowed meta-parameters: distilled_images",
                )


class Reptile(Estimator):
    """θ − w_T: from the learned parameters back to the first ones; never asks the meta-loss."""

    title: ClassVar[str] = "Reptile"
    implementation: ClassVar[str] = "engine.estimators.first_order:Reptile"
    differentiates: ClassVar[bool] = False
    only_initialisation: ClassVar[bool] = True

    kind: Literal["reptile"] = "reptile"

    @property
    def needs(self) -> tuple[Need, ...]:
        return ("start",)

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        yield from super().refusals(experiment, path)
        why = "it follows the initial parameters only"
        yield from refused_meta_parameters(self.kind, experiment, path, why)
        for index, item in enumerate(experiment.meta_parameters):
            if getattr(item, "adapts", "all") != "all":
                yield FieldError(
                    f"{path}.kind",
                    self.kind,
                    "it follows what the inner loop moves, and the layers before the last one stay "
                    f"as they are; allowed: meta_parameters.{index}.adapts 'all'",
                )
