"""Inner tasks: what the learner learns, on which data, and the loss that judges it afterwards."""

from itertools import pairwise
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from engine.spec.options import Options, option

Shapes = dict[str, tuple[int, ...]]
Width = Annotated[int, Field(ge=1, le=8192)]
DatasetName = Literal["digits", "mnist1d", "fashion_mnist"]

EXAMPLE_SHAPES: dict[str, tuple[int, ...]] = {
    "digits": (8, 8),
    "mnist1d": (40,),
    "fashion_mnist": (28, 28),
}
TRAIN_EXAMPLES = {"digits": 1297, "mnist1d": 4000, "fashion_mnist": 60_000}
VALIDATION_EXAMPLES = {"digits": 500, "mnist1d": 1000, "fashion_mnist": 10_000}
CLASSES = 10


class InnerTask(Options):
    """What the compatibility rules and the sizes ask of every inner task."""

    title: ClassVar[str]
    implementation: ClassVar[str]
    """The class that builds the task, as `package.module:Class`; only the engine imports it."""
    has_inner_loss: ClassVar[bool] = True
    """Whether an inner optimizer minimises a loss; if not, the task is a dynamical system."""
    reads: ClassVar[tuple[str, ...]] = ()
    """Of a dynamical system, the hyper-parameters that its transition reads: the kinds of
    meta-parameters that it can learn (`initialisation` too, where its start may be learned)."""

    def parameter_shapes(self) -> Shapes:
        """Name and shape of every tensor of the model, in the order of the forward pass."""
        raise TypeError(f"{type(self).__name__} does not say what parameters its model has")

    @property
    def differentiable(self) -> bool:
        """Whether the meta-loss has a gradient."""
        return True


class Quadratic(InnerTask):
    """A noisy quadratic bowl, solved in closed form: the place to see an estimator's error exactly.

    Inner loss ½ (w − c)ᵀ H (w − c) with H diagonal, meta-loss ½ ‖w − c′‖².
    """

    title: ClassVar[str] = "Quadratic with a closed-form oracle"
    implementation: ClassVar[str] = "engine.inner_tasks.quadratic:Quadratic"

    kind: Literal["quadratic"] = "quadratic"
    dimension: int = option(20, ge=1, le=1_000_000, unit="parameters")
    """Number of inner parameters."""
    condition_number: float = option(100.0, ge=1.0, le=1e12)
    """Largest over smallest curvature; the curvatures are log-spaced and end at 1."""
    noise: float = option(0.0, ge=0.0, le=1e6)
    """Standard deviation of the noise added to every inner gradient, fixed by the seed and step."""
    shift: float = option(0.5, ge=0.0, le=1e6)
    """Distance, per coordinate, between the optimum of training and the optimum of validation."""

    def parameter_shapes(self) -> Shapes:
        return {"w": (self.dimension,)}


class NoisyQuadratic(InnerTask):
    """A noisy quadratic, averaged over the noise: where a short horizon asks for too small steps.

    E[x²] ← (1 − αh)² E[x²] + α² c h for every curvature h, from E[x²] = 1; meta-loss ½ Σ h E[x²].
    """

    title: ClassVar[str] = "Noisy quadratic in expectation (Wu et al., 2018)"
    implementation: ClassVar[str] = "engine.inner_tasks.noisy_quadratic:NoisyQuadratic"
    has_inner_loss: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ("learning_rate",)

    kind: Literal["noisy_quadratic"] = "noisy_quadratic"
    dimension: int = option(50, ge=1, le=1_000_000, unit="curvatures")
    """Number of curvatures h, each with one second moment E[x²]."""
    condition_number: float = option(1000.0, ge=1.0, le=1e12)
    """Largest over smallest curvature; the curvatures are log-spaced and end at 1."""
    noise: float = option(1.0, ge=0.0, le=1e6)
    """Level c of the gradient's noise, whose variance is c·h."""

    def parameter_shapes(self) -> Shapes:
        return {"second_moment": (self.dimension,)}


class InfluenceBalancing(InnerTask):
    """A linear system whose long-range influences outweigh, and contradict, the short-range ones.

    s ← A s + θ · signs, A = ½ (identity + superdiagonal), θ the drive; meta-loss ½ (s[0] − 1)².
    """

    title: ClassVar[str] = "Influence balancing (Tallec and Ollivier, 2017)"
    implementation: ClassVar[str] = "engine.inner_tasks.influence_balancing:InfluenceBalancing"
    has_inner_loss: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ("drive",)

    kind: Literal["influence_balancing"] = "influence_balancing"
    dimension: int = option(23, ge=1, le=10_000, unit="entries")
    """Entries of the state."""
    positive: int = option(10, ge=0, le=10_000, unit="entries")
    """How many entries, counted from s[0], the drive enters with the sign +; the rest with −."""
    start: float = option(0.5, ge=-1e3, le=1e3)
    """The drive in whose steady state the system starts, whatever drive it gets from then on."""

    @field_validator("positive")
    @classmethod
    def _within_the_state(cls, positive: int, info: ValidationInfo) -> int:
        if positive > (most := info.data.get("dimension", positive)):
            raise ValueError(f"allowed: 0 to the dimension, {most}")
        return positive

    def parameter_shapes(self) -> Shapes:
        return {"s": (self.dimension,)}


class ImageTask(InnerTask):
    """Classification by cross-entropy: train on minibatches, judge on held-out examples."""

    dataset: DatasetName = "digits"
    """Data set; Fashion-MNIST is downloaded once, the others need no download."""
    activation: Literal["relu", "tanh", "gelu"] = "relu"
    """Nonlinearity between layers; only the smooth ones have an exact second derivative."""
    batch_size: int | None = option(64, ge=1, le=60_000, unit="examples")
    """Examples in an inner step's minibatch; nothing means the whole training set."""
    train_examples: int | None = option(None, ge=10, le=60_000, unit="examples")
    """How many training examples are used; nothing means all of them."""
    validation_examples: int | None = option(500, ge=10, le=10_000, unit="examples")
    """How many held-out examples the meta-loss averages over; nothing means all of them."""
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
    def differentiable(self) -> bool:
        return self.meta_loss == "cross_entropy"


class ImageMLP(ImageTask):
    """A multilayer perceptron on images: the network that the lecture unrolls."""

    title: ClassVar[str] = "Image classification with a multilayer perceptron"
    implementation: ClassVar[str] = "engine.inner_tasks.images:ImageMLP"

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


BUILT_IN = (Quadratic, NoisyQuadratic, InfluenceBalancing, ImageMLP, ImageCNN)
