"""Episodes of few-shot classification: which classes, which images, as a function of the seed.

An episode takes one alphabet, `ways` classes of it, and of each class `shots` images to learn from
and `queries` others to be judged on (Vinyals et al., 2016). A label is a position in the episode
and says nothing of the class, so that none can be learned by heart. Everything is drawn in tensor
operations on the device, from the seed alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine import random_bits
from engine.data.class_images import SPLITS, ClassImages
from engine.data.class_tensors import ClassTensors
from engine.data.tensors import Split

ALPHABET, CLASSES, INSTANCES = -1, -2, -3
"""Streams of random bits; those of an inner loop's own steps count from 0."""
TURNS = 4
"""Rotations by a multiple of 90°."""


class Episodes:
    """The episodes of one split of a data set: the same seed gives the same episode.

    `seed` is a 0-dimensional int64 tensor; the methods are pure and work under torch.func's vmap
    and tracing. With `rotations`, a class turned by 90°, 180° or 270° is a class of its own
    (Santoro et al., 2016). Images have mean 0 and variance 1 over the split meta-train. Raises
    `ValueError` where no alphabet has enough classes of enough images.
    """

    def __init__(
        self,
        data: ClassTensors,
        split: int,
        *,
        ways: int,
        shots: int,
        queries: int,
        rotations: bool = False,
        dtype: torch.dtype,
    ) -> None:
        self.ways, self.shots, self.queries = ways, shots, queries
        self.turns = TURNS if rotations else 1
        self._pixels, self._names = data.pixels, data.data.names
        self._mean, self._deviation = data.mean.to(dtype), data.deviation.to(dtype)

        alphabets = _alphabets(data.data, split, shots + queries)
        alphabets = [classes for classes in alphabets if len(classes) * self.turns >= ways]
        if not alphabets:
            raise ValueError(
                f"inner_task: no alphabet for {SPLITS[split]} has {ways} classes of "
                f"{shots + queries} images; allowed: fewer ways, or fewer shots and queries"
            )
        device = data.pixels.device
        sizes = torch.tensor([len(classes) for classes in alphabets])
        self._most_classes = int(sizes.max()) * self.turns
        self._size = sizes.to(device)
        self._first_class = (sizes.cumsum(0) - sizes).to(device)
        self._classes = torch.cat(alphabets)
        self._first_image = torch.from_numpy(data.data.first)[self._classes].to(device)
        self._images = torch.from_numpy(data.data.count)[self._classes].to(device)
        self._most_images = int(self._images.max())
        self._classes = self._classes.to(device)
        self._turned = _turned(data.pixels.shape[-1]).to(device)

    def support(self, seed: Tensor) -> Split:
        """What the learner learns from, class by class: inputs [ways · shots, channels, side,
        side] and labels."""
        return self._gathered(seed, slice(0, self.shots))

    def query(self, seed: Tensor) -> Split:
        """What it is judged on: other images of the same classes, [ways · queries, …]."""
        return self._gathered(seed, slice(self.shots, self.shots + self.queries))

    def names(self, seed: Tensor) -> list[str]:
        """Of the episode's classes."""
        classes, _, turns = self.drawn(seed)
        return [
            self._names[index] + (f" ({90 * turn}°)" if turn else "")
            for index, turn in zip(classes.tolist(), turns.tolist(), strict=True)
        ]

    def as_bytes(self, inputs: Tensor) -> Tensor:
        """Inputs as the images that they come from; uint8 of the same shape."""
        return (inputs * self._deviation + self._mean).round().clamp(0, 255).byte()

    def drawn(self, seed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The episode's classes [ways] and images [ways, shots + queries], as places in the data
        set, and the quarter turns of each class [ways]."""
        # A vector of one alphabet: an index without dimensions is read on the host, not traced.
        alphabet = random_bits.uniform_indices(seed, ALPHABET, 1, len(self._size))
        size = self._size[alphabet] * self.turns
        [chosen] = random_bits.distinct_indices(seed, CLASSES, self.ways, size, self._most_classes)
        place = self._first_class[alphabet] + chosen // self.turns
        instances = random_bits.distinct_indices(
            seed, INSTANCES, self.shots + self.queries, self._images[place], self._most_images
        )
        images = self._first_image[place].unsqueeze(1) + instances
        return self._classes[place], images, chosen % self.turns

    def _gathered(self, seed: Tensor, which: slice) -> Split:
        _, images, turns = self.drawn(seed)
        images = images[:, which]
        labels = torch.arange(self.ways, device=images.device).repeat_interleave(images.shape[1])
        inputs = self._pixels[images.flatten()]
        if self.turns > 1:
            places = self._turned[turns[labels]].unsqueeze(1).expand(-1, inputs.shape[1], -1)
            inputs = inputs.flatten(2).gather(2, places).reshape(inputs.shape)
        return Split((inputs.to(self._mean) - self._mean) / self._deviation, labels)


def _alphabets(data: ClassImages, split: int, images: int) -> list[Tensor]:
    """The classes of that many images, of each alphabet of the split."""
    group, enough = torch.from_numpy(data.group), torch.from_numpy(data.count) >= images
    return [
        torch.nonzero((group == index) & enough).flatten()
        for index in range(len(data.groups))
        if data.split[index] == split
    ]


def _turned(side: int) -> Tensor:
    """For each number of quarter turns, where each pixel of the turned image comes from."""
    places = torch.arange(side * side).reshape(side, side)
    return torch.stack([places.rot90(turns).flatten() for turns in range(TURNS)])
