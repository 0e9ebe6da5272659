"""Images by class as tensors: once in a device's memory, however many problems draw from them."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.data import ClassImages, data_folder, load_classes

RESIZED_TOGETHER = 4096
META_TRAIN = 0


@dataclass(frozen=True)
class ClassTensors:
    """A `ClassImages` and its images on a device, never to be written to: every caller shares
    them."""

    data: ClassImages
    pixels: Tensor
    """uint8 [N, channels, side, side]."""
    mean: Tensor
    """Of each channel over the images for meta-training; float64 [channels, 1, 1]."""
    deviation: Tensor
    """Standard deviation, likewise."""


def load_class_tensors(name: str, *, image_size: int | None, device: torch.device) -> ClassTensors:
    """The set `name`, its images averaged over areas to `image_size` pixels a side; nothing means
    as they are."""
    return _load(name, data_folder(), image_size, device)


@lru_cache(maxsize=4)
def _load(name: str, folder: Path, image_size: int | None, device: torch.device) -> ClassTensors:
    return class_tensors(load_classes(name), image_size=image_size, device=device)


def class_tensors(
    data: ClassImages, *, image_size: int | None, device: torch.device
) -> ClassTensors:
    pixels = torch.from_numpy(data.images)
    pixels = pixels.unsqueeze(1) if pixels.dim() == 3 else pixels.movedim(3, 1)
    if image_size not in (None, pixels.shape[-1]):
        pixels = torch.cat([_resized(part, image_size) for part in pixels.split(RESIZED_TOGETHER)])
    mean, deviation = _moments(pixels[_images_of(data, META_TRAIN)])
    return ClassTensors(data, pixels.contiguous().to(device), mean.to(device), deviation.to(device))


def _resized(pixels: Tensor, side: int) -> Tensor:
    return F.interpolate(pixels.float(), size=(side, side), mode="area").round().byte()


def _images_of(data: ClassImages, split: int) -> Tensor:
    """bool [N]: whether an image belongs to the split."""
    of_class = torch.from_numpy(data.split[data.group] == split)
    return of_class.repeat_interleave(torch.from_numpy(data.count))


def _moments(pixels: Tensor) -> tuple[Tensor, Tensor]:
    values = torch.arange(256, dtype=torch.float64)
    means, deviations = [], []
    for channel in pixels.unbind(1):
        shares = torch.bincount(channel.flatten(), minlength=256).double() / channel.numel()
        mean = (shares * values).sum()
        means.append(mean)
        deviations.append((shares * (values - mean) ** 2).sum().sqrt())
    return torch.stack(means)[:, None, None], torch.stack(deviations)[:, None, None]
