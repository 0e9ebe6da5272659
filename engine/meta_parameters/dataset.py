"""The dataset slot of a learner: distilled images (Wang, Zhu, Torralba and Efros, 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.data.tensors import Split, random_of_each_class
from engine.meta_parameters.meta_parameter import MetaParameter
from engine.pictures import Curves, Line, Picture, images
from engine.problem import Meta, Params

STREAM = 1 << 33
"""Added to the seed: keeps the first images apart from the learner's first parameters."""
FIRST_SHARE = 0.9
"""Of a learned label for the image's class, at the start."""


class DistilledImages(MetaParameter):
    """θ holds `distilled_images.images`, [classes, images of each, *shape of an input], and where
    they are learned `distilled_images.labels`, logits [classes, images of each, classes]."""

    def initial(self, params: Params, seed: int) -> Meta:
        task, count = self.task, self.options.images_per_class
        shape = (task.classes, count, *task.train.inputs.shape[1:])
        if self.options.start == "real":
            chosen = random_of_each_class(task.train.labels, task.classes, count, seed)
            pixels = task.train.inputs[chosen].reshape(shape).clone()
        else:
            generator = torch.Generator().manual_seed(seed + STREAM)
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
            pixels = drawn.to(task.train.inputs)
        meta = {"distilled_images.images": pixels}
        if self.options.labels == "learned":
            others = (1.0 - FIRST_SHARE) / (task.classes - 1)
            shares = torch.full((task.classes, task.classes), others, dtype=torch.float64)
            shares.fill_diagonal_(FIRST_SHARE)
            logits = shares.log()[:, None].expand(-1, count, -1)
            meta["distilled_images.labels"] = logits.clone().to(pixels)
        return meta

    def batch(self, meta: Meta, batch: Any, seed: Tensor, t: int | Tensor) -> Split:
        """The distilled images, class by class, in place of the task's batch."""
        if self.options.each_step == "all":
            return self.all_of_them(meta)
        pixels, labels = meta["distilled_images.images"], self._labels(meta)
        turn = torch.as_tensor(t, device=pixels.device) % pixels.shape[1]
        return Split(*(part.index_select(1, turn[None])[:, 0] for part in (pixels, labels)))

    def all_of_them(self, meta: Meta) -> Split:
        """Every distilled image, class by class."""
        pixels, labels = meta["distilled_images.images"], self._labels(meta)
        return Split(pixels.flatten(0, 1), labels.flatten(0, 1))

    def _labels(self, meta: Meta) -> Tensor:
        """int64 [classes, images of each], or shares [classes, images of each, classes]."""
        if self.options.labels == "learned":
            return meta["distilled_images.labels"].softmax(-1)
        classes, count = meta["distilled_images.images"].shape[:2]
        labels = torch.arange(classes, device=meta["distilled_images.images"].device)
        return labels[:, None].expand(classes, count)

    @torch.no_grad()
    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """All of them, a column for each class; in black and white as real ones are."""
        pixels = meta["distilled_images.images"]
        shown = pixels.reshape(*pixels.shape[:2], *self.task.image_shape).transpose(0, 1)
        shown = shown.flatten(0, 1).double().cpu()
        labels = self._labels(meta).transpose(0, 1).flatten(0, 1)
        captions = [_caption(label, self.task.class_names) for label in labels]
        if len(self.task.image_shape) == 1:
            drawing: Any = _signals(shown, captions)
        else:
            low, high = (float(end) for end in self.task.train.inputs.aminmax())
            scaled = (shown.clamp(low, high) - low) / (high - low) * 255.0
            drawing = images(
                scaled.round().numpy().astype(np.uint8), columns=len(pixels), captions=captions
            )
        return [Picture(name="distilled_images", title="Distilled images", drawing=drawing)]


def _caption(label: Tensor, names: Sequence[str]) -> str:
    """The class, or the one with the largest share and that share."""
    if not label.dim():
        return names[int(label)]
    share, best = label.max(0)
    return f"{names[int(best)]}: {float(share):.0%}"


def _signals(signals: Tensor, captions: list[str]) -> Curves:
    places = [float(place) for place in range(signals.shape[1])]
    lines = [
        Line(label=caption, x=places, y=signal.tolist())
        for caption, signal in zip(captions, signals, strict=True)
    ]
    return Curves(x_title="Place in the signal", y_title="Value", lines=lines)
