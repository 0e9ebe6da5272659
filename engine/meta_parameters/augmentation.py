"""The augmentation slot: what changes the training images before each inner step.

Whatever is random depends on the seed and the step alone, in a stream of its own: at the same step
the batch is the same, whatever is learned here. The inner loss of implicit differentiation takes
all training images under the changes of step 0.
"""

from __future__ import annotations

from dataclasses import replace
from math import log, prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine import random_bits
from engine.meta_parameters.image_transforms import brightened, contrasted, warped
from engine.meta_parameters.meta_parameter import MetaParameter
from engine.pictures import Picture, images
from engine.problem import Meta, Params
from engine.spec.meta_parameters.augmentation import TRANSFORMS

STREAM = 1 << 40
"""Added to the seed: keeps these random numbers apart from those that draw the batch."""
SHOWN = 10
"""Images in a row of the picture."""
ROWS = 3
"""Changed versions of each, below the original."""


class Augmentation(MetaParameter):
    """What both kinds share. A subclass changes a batch of images by `changed`."""

    def batch(self, meta: Meta, batch: Any, seed: Tensor, t: int | Tensor) -> Any:
        shape = (len(batch.inputs), *self.task.image_shape)
        changed = self.changed(meta, batch.inputs.reshape(shape), seed + STREAM, t)
        return replace(batch, inputs=changed.reshape(batch.inputs.shape))

    def changed(self, meta: Meta, images: Tensor, seed: Tensor, t: int | Tensor) -> Tensor:
        """`images` [N, H, W] as step `t` trains on them."""
        raise TypeError(f"{type(self).__name__} does not say how it changes an image")

    @torch.no_grad()
    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """Training images above what the first inner steps make of them."""
        start = torch.tensor(seed, device=self.task.train.inputs.device)
        shown = self.task.train.first(SHOWN)
        rows = [shown, *(self.batch(meta, shown, start, t) for t in range(ROWS))]
        pixels = torch.cat([row.inputs.reshape(-1, *self.task.image_shape) for row in rows])
        low, high = shown.inputs.min(), shown.inputs.max()
        # What leaves the range of the originals is cut, so that these look the same every time.
        drawing = images(pixels.clamp(low, high).cpu().numpy(), columns=len(shown.labels))
        title = "Training images, and what they are changed into"
        return [Picture(name=self.options.kind, title=title, drawing=drawing)]


class AugmentationMagnitudes(Augmentation):
    """θ holds `augmentation_magnitudes.<transform>`, the logarithm of its magnitude, a scalar.

    An image's strength of a transform is the magnitude times a random number of its own, uniform
    in [−1, 1], for every step anew; that of noise is the standard deviation of each pixel's.
    """

    logarithmic = True
    DIRECTIONS = ("rotation", "scale", "shear", "down", "right", "brightness", "contrast")

    def initial(self, params: Params, seed: int) -> Meta:
        some = next(iter(params.values()))
        names = TRANSFORMS[self.options.transforms]
        start = torch.tensor(log(self.options.initial), dtype=torch.float64).to(some)
        return {f"augmentation_magnitudes.{name}": start.clone() for name in names}

    def changed(self, meta: Meta, images: Tensor, seed: Tensor, t: int | Tensor) -> Tensor:
        magnitude = {
            name: meta[f"augmentation_magnitudes.{name}"].exp()
            for name in TRANSFORMS[self.options.transforms]
        }
        count = len(images)
        uniform = random_bits.uniform(seed, t, len(self.DIRECTIONS) * count, images.dtype)
        drawn = dict(zip(self.DIRECTIONS, (2.0 * uniform - 1.0).split(count), strict=True))
        if "rotation" in magnitude:
            images = warped(
                images,
                rotation=magnitude["rotation"] * drawn["rotation"],
                scale=magnitude["scale"] * drawn["scale"],
                shear=magnitude["shear"] * drawn["shear"],
                down=magnitude["translation"] * drawn["down"],
                right=magnitude["translation"] * drawn["right"],
            )
        if "noise" in magnitude:
            images = contrasted(images, magnitude["contrast"] * drawn["contrast"])
            images = brightened(images, magnitude["brightness"] * drawn["brightness"])
            noise = random_bits.normal(seed + STREAM, t, images.numel(), images.dtype)
            images = images + magnitude["noise"] * noise.reshape(images.shape)
        return images


class AugmentationNetwork(Augmentation):
    """θ holds `augmentation_network.<layer>.<weight or bias>` of two convolutions with a GELU
    between them. The second starts at zero, so that the network starts as no change at all."""

    def initial(self, params: Params, seed: int) -> Meta:
        some = next(iter(params.values()))
        source = torch.Generator().manual_seed(seed)
        meta: Meta = {}
        for name, shape in self.options.shapes().items():
            values = torch.zeros(shape, dtype=torch.float64)
            if name == "hidden.weight":
                bound = prod(shape[1:]) ** -0.5
                values = torch.rand(shape, generator=source, dtype=torch.float64)
                values = bound * (2.0 * values - 1.0)
            meta[f"augmentation_network.{name}"] = values.to(some)
        return meta

    def changed(self, meta: Meta, images: Tensor, seed: Tensor, t: int | Tensor) -> Tensor:
        weights = [meta[f"augmentation_network.{name}"] for name in self.options.shapes()]
        count, (height, width) = len(images), images.shape[1:]
        of_pixels = random_bits.normal(seed, t, images.numel(), images.dtype)
        of_images = random_bits.normal(seed + STREAM, t, count, images.dtype)
        inputs = [
            images,
            of_pixels.reshape(images.shape),
            of_images[:, None, None].expand(count, height, width),
        ]
        hidden = F.conv2d(torch.stack(inputs, 1), weights[0], weights[1], padding=1)
        return images + F.conv2d(F.gelu(hidden), weights[2], weights[3], padding=1)[:, 0]
