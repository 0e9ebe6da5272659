"""What the training images are changed by before each inner step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from engine.spec.errors import FieldError
from engine.spec.meta_parameters.meta_parameter import MetaParameter, Slot
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment

GEOMETRIC = ("rotation", "translation", "scale", "shear")
INTENSITY = ("brightness", "contrast", "noise")
TRANSFORMS = {
    "all": (*GEOMETRIC, *INTENSITY),
    "geometric": GEOMETRIC,
    "intensity": INTENSITY,
}


class Augmentation(MetaParameter):
    """What both kinds share: they change images, and the inner loss with them."""

    slot: ClassVar[Slot] = "augmentation"
    of_the_task: ClassVar[bool] = True
    in_inner_loss: ClassVar[bool] = True
    only_in_inner_loss: ClassVar[bool] = True

    def refusals(self, experiment: Experiment, path: str) -> Iterator[FieldError]:
        from engine.spec.inner_tasks.images import EXAMPLE_SHAPES

        yield from super().refusals(experiment, path)
        dataset = getattr(experiment.inner_task, "dataset", None)
        if len(EXAMPLE_SHAPES.get(dataset, ())) == 1:
            images = [name for name, shape in EXAMPLE_SHAPES.items() if len(shape) == 2]
            yield FieldError(
                f"{path}.kind",
                self.kind,
                f"it changes images, and {dataset!r} holds signals; allowed "
                f"inner_task.dataset: {', '.join(images)}",
            )


class AugmentationMagnitudes(Augmentation):
    """How strongly training images are rotated, moved, scaled, sheared, lit and blurred by noise:
    every image in a random direction, by at most a learned magnitude."""

    title: ClassVar[str] = "Augmentation magnitudes"
    implementation: ClassVar[str] = "engine.meta_parameters.augmentation:AugmentationMagnitudes"
    small: ClassVar[dict[str, Any]] = {"transforms": "intensity"}
    # Interpolation between pixels, of the others, has a kink wherever one passes another.

    kind: Literal["augmentation_magnitudes"] = "augmentation_magnitudes"
    transforms: Literal["all", "geometric", "intensity"] = "all"
    """Rotation, translation, scale and shear; or brightness, contrast and noise; or all seven."""
    initial: float = option(0.05, gt=0.0, le=10.0)
    """Every magnitude at the start: radians of rotation, half images of translation, logarithm of
    scale and contrast, tangent of shear, standard deviations of all pixels for the others. Learned
    as logarithms, which keep them positive."""

    def entries(self, experiment: Experiment) -> int:
        return len(TRANSFORMS[self.transforms])


class AugmentationNetwork(Augmentation):
    """A small convolutional network that changes training images: x′ = x + network(x, noise).

    It starts as no change at all (Lorraine, Vicol and Duvenaud, 2020).
    """

    title: ClassVar[str] = "Augmentation network"
    implementation: ClassVar[str] = "engine.meta_parameters.augmentation:AugmentationNetwork"
    inputs: ClassVar[int] = 3
    """The image, a number of noise for each pixel, and one for the whole image."""

    small: ClassVar[dict[str, Any]] = {"channels": 2}

    kind: Literal["augmentation_network"] = "augmentation_network"
    channels: int = option(8, ge=1, le=256, unit="channels")
    """Width of the hidden layer between its two convolutions, 3 × 3 each."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every tensor of the network, in the order of the forward pass."""
        return {
            "hidden.weight": (self.channels, self.inputs, 3, 3),
            "hidden.bias": (self.channels,),
            "output.weight": (1, self.channels, 3, 3),
            "output.bias": (1,),
        }

    def entries(self, experiment: Experiment) -> int:
        return 9 * self.channels * (self.inputs + 1) + self.channels + 1
