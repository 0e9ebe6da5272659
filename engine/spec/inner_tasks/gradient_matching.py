"""Dataset condensation: distilled images that a network's gradients cannot tell from real ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.errors import FieldError
from engine.spec.inner_tasks.images import CLASSES, EXAMPLE_SHAPES
from engine.spec.inner_tasks.inner_task import InnerTask, Shapes
from engine.spec.options import option

if TYPE_CHECKING:
    from engine.spec.experiment import Experiment


class GradientMatching(InnerTask):
    """Dataset condensation by gradient matching (Zhao, Mopuri and Bilen, 2021).

    A convolutional network trains on the distilled images, and the meta-loss at every step is how
    far the directions of its gradients on them are from those on real images. The paper's recipe
    is the objective 'average', the estimator 'fomaml' and outer.inner_seed 'fresh'.
    """

    title: ClassVar[str] = "Dataset condensation by gradient matching"
    implementation: ClassVar[str] = "engine.inner_tasks.gradient_matching:GradientMatching"
    reads: ClassVar[tuple[str, ...]] = ("distilled_images",)
    classes: ClassVar[int] = CLASSES
    judges_gradients: ClassVar[bool] = True
    small: ClassVar[dict[str, Any]] = {
        "width": 2,
        "blocks": 1,
        "activation": "tanh",
        "real_examples": 2,
        "test_epochs": 0,
    }
    surroundings: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"meta_parameters": [{"kind": "distilled_images"}]},
    )

    kind: Literal["gradient_matching"] = "gradient_matching"
    dataset: Literal["digits", "fashion_mnist"] = "digits"
    """Data set; Fashion-MNIST is downloaded once."""
    width: int = option(32, ge=1, le=512, unit="channels")
    """Channels of every block; 128 in the paper."""
    blocks: int = option(3, ge=1, le=4)
    """Blocks of 3 × 3 convolution, instance norm, nonlinearity and 2× average pooling."""
    activation: Literal["relu", "tanh", "gelu"] = "relu"
    """Nonlinearity; only the smooth ones have an exact second derivative."""
    real_examples: int = option(64, ge=1, le=1024, unit="examples")
    """Real images of each class in a comparison of gradients; 256 in the paper."""
    test_epochs: int = option(300, ge=0, le=10_000, unit="epochs")
    """How long a new network trains on the distilled images before it is tested; 0 means that none
    is."""
    test_learning_rate: float = option(0.01, gt=0.0, le=10.0)
    """Step size of that training, with momentum 0.9 and weight decay 0.0005; a tenth in its second
    half."""
    test_networks: int = option(1, ge=1, le=100, unit="networks")
    """Over how many new networks the test accuracy is averaged."""

    @field_validator("blocks")
    @classmethod
    def _until_one_pixel(cls, blocks: int, known: ValidationInfo) -> int:
        side = min(EXAMPLE_SHAPES[known.data.get("dataset", "fashion_mnist")])
        if side // 2**blocks == 0:
            raise ValueError(
                f"allowed: 1 to {side.bit_length() - 1}, for images of {side} × {side}"
            )
        return blocks

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Of one image."""
        return EXAMPLE_SHAPES[self.dataset]

    def parameter_shapes(self) -> Shapes:
        height, width = self.example_shape
        channels = 1
        shapes: Shapes = {}
        for block in range(self.blocks):
            name = f"blocks.{block}"
            shapes[f"{name}.convolution.weight"] = (self.width, channels, 3, 3)
            shapes[f"{name}.convolution.bias"] = (self.width,)
            shapes[f"{name}.norm.scale"] = (self.width,)
            shapes[f"{name}.norm.shift"] = (self.width,)
            channels, height, width = self.width, height // 2, width // 2
        shapes["head.weight"] = (CLASSES, channels * height * width)
        shapes["head.bias"] = (CLASSES,)
        return shapes

    def refusals(self, experiment: Experiment) -> Iterator[FieldError]:
        yield from super().refusals(experiment)
        kinds = [item.kind for item in experiment.meta_parameters]
        if "distilled_images" not in kinds:
            yield FieldError(
                "meta_parameters",
                kinds,
                f"{self.kind!r} compares distilled images with real ones; "
                "allowed: distilled_images among them",
            )
