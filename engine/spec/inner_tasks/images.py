"""Image classification: by a multilayer perceptron or a small convolutional network."""

from itertools import pairwise
from math import prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from engine.spec.inner_tasks.inner_task import InnerTask, Shapes
from engine.spec.options import option

Width = Annotated[int, Field(ge=1, le=8192)]
DatasetName = Literal["digits", "mnist1d", "fashion_mnist"]

EXAMPLE_SHAPES: dict[str, tuple[int, ...]] = {
    "digits": (8, 8),
    "mnist1d": (40,),
    "fashion_mnist": (28, 28),
}
TRAIN_EXAMPLES = {"digits": 997, "mnist1d": 3000, "fashion_mnist": 50_000}
VALIDATION_EXAMPLES = {"digits": 500, "mnist1d": 1000, "fashion_mnist": 10_000}
CLASSES = 10
FEW_EXAMPLES = {
    "activation": "tanh", "batch_size": 6, "train_examples": 40, "validation_examples": 20,
}  # fmt: skip


class ImageTask(InnerTask):
    """Classification by cross-entropy: train on minibatches, judge on held-out examples."""

    reads: ClassVar[tuple[str, ...]] = (
        "augmentation_magnitudes",
        "augmentation_network",
        "label_smoothing",
        "example_weights",
        "learned_loss",
        "distilled_images",
    )
    classes: ClassVar[int] = CLASSES

    dataset: DatasetName = "digits"
    """Data set; Fashion-MNIST is downloaded once, the others need no download."""
    activation: Literal["relu", "tanh", "gelu"] = "relu"
    """Nonlinearity between layers; only the smooth ones have an exact second derivative."""
    batch_size: int | None = option(64, ge=1, le=50_000, unit="examples")
    """Examples in an inner step's minibatch; nothing means the whole training set."""
    train_examples: int | None = option(None, ge=10, le=50_000, unit="examples")
    """How many training examples are used; nothing means all of them."""
    validation_examples: int | None = option(500, ge=10, le=10_000, unit="examples")
    """How many held-out examples the meta-loss averages over; nothing means all of them."""
    label_noise: float = option(0.0, ge=0.0, lt=1.0)
    """Share of the training labels that is wrong: another class, drawn once for the data set."""
    meta_loss: Literal["cross_entropy", "accuracy"] = "cross_entropy"
    """What judges the learner; accuracy has no gradient and is minimised as 1 − accuracy."""

    @field_validator("train_examples", "validation_examples")
    @classmethod
    def _within_the_data(cls, count: int | None, info: ValidationInfo) -> int | None:
        sizes = TRAIN_EXAMPLES if info.field_name == "train_examples" else VALIDATION_EXAMPLES
        most = sizes.get(info.data.get("dataset"))
        if count is not None and most is not None and count > most:
            raise ValueError(f"allowed: 10 to {most:,}, all that the data set has; or nothing")
        return count

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Of one image or signal."""
        return EXAMPLE_SHAPES[self.dataset]

    @property
    def training_examples(self) -> int:
        """How many there are to learn from."""
        return self.train_examples or TRAIN_EXAMPLES[self.dataset]

    @property
    def differentiable(self) -> bool:
        return self.meta_loss == "cross_entropy"


class ImageMLP(ImageTask):
    """A multilayer perceptron on images: the network that the lecture unrolls."""

    title: ClassVar[str] = "Image classification with a multilayer perceptron"
    implementation: ClassVar[str] = "engine.inner_tasks.images:ImageMLP"
    small: ClassVar[dict[str, Any]] = {"hidden": [3], **FEW_EXAMPLES}

    kind: Literal["image_mlp"] = "image_mlp"
    hidden: list[Width] = option(default_factory=lambda: [32], max_length=8, unit="units")
    """Width of each hidden layer, from input to output; an empty list is logistic regression."""

    def parameter_shapes(self) -> Shapes:
        widths = [prod(EXAMPLE_SHAPES[self.dataset]), *self.hidden, CLASSES]
        shapes: Shapes = {}
        for layer, (fan_in, fan_out) in enumerate(pairwise(widths)):
            shapes[f"layers.{layer}.weight"] = (fan_out, fan_in)
            shapes[f"layers.{layer}.bias"] = (fan_out,)
        return shapes


class ImageCNN(ImageTask):
    """A small convolutional network: convolution, nonlinearity and 2× average pooling a block."""

    title: ClassVar[str] = "Image classification with a convolutional network"
    implementation: ClassVar[str] = "engine.inner_tasks.images:ImageCNN"
    small: ClassVar[dict[str, Any]] = {"channels": [2, 2], **FEW_EXAMPLES}

    kind: Literal["image_cnn"] = "image_cnn"
    channels: list[Annotated[int, Field(ge=1, le=512)]] = option(
        default_factory=lambda: [8, 16], min_length=1, max_length=3, unit="channels"
    )
    """Output channels of each block; every block halves the image."""

    def parameter_shapes(self) -> Shapes:
        size = EXAMPLE_SHAPES[self.dataset]
        fan_in = 1
        shapes: Shapes = {}
        for block, channels in enumerate(self.channels):
            shapes[f"blocks.{block}.weight"] = (channels, fan_in, *(3 for _ in size))
            shapes[f"blocks.{block}.bias"] = (channels,)
            fan_in, size = channels, tuple(extent // 2 for extent in size)
        features = fan_in * prod(size)
        shapes["head.weight"] = (CLASSES, features)
        shapes["head.bias"] = (CLASSES,)
        return shapes
