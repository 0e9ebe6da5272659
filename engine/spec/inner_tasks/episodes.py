"""What every few-shot task has: the episodes, and the network under the learner's head."""

from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from engine.spec.inner_tasks.backbones import (
    BackboneName,
    Pooling,
    backbone_shapes,
    feature_count,
)
from engine.spec.inner_tasks.inner_task import InnerTask, Shapes
from engine.spec.options import option

ClassSetName = Literal["dejavu", "glyphs", "emoji", "omniglot", "mini_imagenet", "cifar100"]
IMAGE_SIZES = {
    "dejavu": 28, "glyphs": 28, "emoji": 32, "omniglot": 28, "mini_imagenet": 84, "cifar100": 32,
}  # fmt: skip
"""Pixels a side."""
CHANNELS = {
    "dejavu": 1, "glyphs": 1, "emoji": 3, "omniglot": 1, "mini_imagenet": 3, "cifar100": 3,
}  # fmt: skip

SMALL_EPISODES: dict[str, Any] = {
    "ways": 2, "shots": 2, "queries": 2, "image_size": 16, "filters": 2,
    "activation": "tanh", "pooling": "average", "test_episodes": 2,
}  # fmt: skip
"""The options that make such a task small and smooth: a norm over few values is like a step."""


class EpisodeTask(InnerTask):
    """Classification from a few images of classes that were never seen before, by episodes."""

    dataset: ClassSetName = "dejavu"
    """Images by class and alphabet; the letters in the DejaVu faces need no download."""
    ways: int = option(5, ge=2, le=100, unit="classes")
    """Classes in an episode, all of one alphabet."""
    shots: int = option(1, ge=1, le=100, unit="images")
    """Images of each class to learn from."""
    queries: int = option(5, ge=1, le=100, unit="images")
    """Other images of each class, on which the learner is judged."""
    rotations: bool = False
    """In meta-training, take a class turned by 90°, 180° or 270° for a class of its own; held-out
    classes stand upright."""
    image_size: int | None = option(None, ge=4, le=84, unit="pixels")
    """Side to which the images are reduced; nothing means as they are."""
    backbone: BackboneName = "conv4"
    """Network from an image to its features: four convolutions, ResNet-12 or WRN-28."""
    filters: int | None = option(None, ge=1, le=1024, unit="filters")
    """Of the backbone's first block; nothing means 32 for conv4 (64 is usual too), 64 for resnet12,
    160 for wrn28, which makes it WRN-28-10."""
    activation: Literal["relu", "tanh", "gelu"] = "relu"
    """Nonlinearity of the backbone; only the smooth ones have an exact second derivative."""
    pooling: Pooling = "max"
    """How conv4 and resnet12 halve an image: by the largest or the mean of 2 × 2 pixels, or, in
    conv4, by convolutions with stride 2, which take a quarter of the arithmetic (as MAML's for
    Omniglot do)."""
    test_episodes: int = option(100, ge=2, le=10_000, unit="episodes")
    """Episodes from the alphabets for testing over which the test figures average."""

    @field_validator("image_size")
    @classmethod
    def _not_enlarged(cls, size: int | None, known: ValidationInfo) -> int | None:
        most = IMAGE_SIZES.get(known.data.get("dataset"))
        if size is not None and most is not None and size > most:
            raise ValueError(f"allowed: 4 to {most}, the side of the data set's images; or nothing")
        return size

    @field_validator("pooling")
    @classmethod
    def _of_the_backbone(cls, pooling: Pooling, known: ValidationInfo) -> Pooling:
        backbone = known.data.get("backbone")
        if pooling == "stride" and backbone != "conv4":
            raise ValueError(f"{backbone!r} has strides of its own; allowed: 'max' or 'average'")
        return pooling

    @property
    def features(self) -> int:
        """Entries of the vector that the backbone makes of an image."""
        size = self.image_size or IMAGE_SIZES[self.dataset]
        return feature_count(
            self.backbone, filters=self.filters, image_size=size, pooling=self.pooling
        )

    def backbone_shapes(self) -> Shapes:
        """Name and shape of the backbone's tensors, each name after `backbone.`."""
        shapes = backbone_shapes(
            self.backbone, filters=self.filters, channels=CHANNELS[self.dataset]
        )
        return {f"backbone.{name}": shape for name, shape in shapes.items()}
