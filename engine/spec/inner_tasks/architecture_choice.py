"""Image classification by a small network whose architecture is drawn from a list."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.inner_tasks.images import CLASSES, EXAMPLE_SHAPES, ImageTask
from engine.spec.inner_tasks.inner_task import Shapes
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment

WIDTHS = (4, 8, 16, 32)
DEPTHS = (1, 2, 3)
DECISIONS: dict[str, tuple[str, ...]] = {
    "width": tuple(map(str, WIDTHS)),
    "depth": tuple(map(str, DEPTHS)),
    "activation": ("identity", "tanh", "relu", "sine"),
    "skip": ("no", "yes"),
}
"""What is decided, one after the other, and between what."""


class ArchitectureChoice(ImageTask):
    """Image classification by one of 96 multilayer perceptrons.

    A controller decides on the width of the hidden layers, their number, their nonlinearity, and
    whether each is added to the one before it. They are few enough to train all of them.
    """

    title: ClassVar[str] = "Image classification with an architecture drawn from a list"
    implementation: ClassVar[str] = "engine.inner_tasks.architecture_choice:ArchitectureChoice"
    reads: ClassVar[tuple[str, ...]] = ("controller",)
    small: ClassVar[dict[str, Any]] = {
        "batch_size": 6,
        "train_examples": 40,
        "validation_examples": 20,
    }

    activation: ClassVar[str] = "relu"  # it is decided on, so no option of the task
    kind: Literal["architecture_choice"] = "architecture_choice"
    meta_loss: Literal["accuracy", "cross_entropy"] = option("accuracy")
    """What judges an architecture; accuracy has no gradient and is minimised as 1 − accuracy."""

    def refusals(self, experiment: Experiment) -> Iterator[FieldError]:
        yield from super().refusals(experiment)
        kinds = [item.kind for item in experiment.meta_parameters]
        if kinds != ["controller"]:
            yield FieldError(
                "meta_parameters",
                kinds,
                f"{self.kind!r} trains architectures that a controller draws, and learns that "
                "alone; allowed: controller",
            )

    def parameter_shapes(self) -> Shapes:
        """Those of the largest architecture; a smaller one leaves units and layers out."""
        widest, shapes = max(WIDTHS), {}
        fan_in = prod(EXAMPLE_SHAPES[self.dataset])
        for layer in range(max(DEPTHS)):
            shapes[f"layers.{layer}.weight"] = (widest, fan_in)
            shapes[f"layers.{layer}.bias"] = (widest,)
            fan_in = widest
        return {**shapes, "head.weight": (CLASSES, widest), "head.bias": (CLASSES,)}
