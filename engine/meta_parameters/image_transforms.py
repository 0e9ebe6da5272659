"""Differentiable transforms of a batch of grey images, in operations that torch differentiates
twice, in both orders, and under vmap; torch's `grid_sample` has no second derivative.

Images are [N, H, W]. A transform's strength is a number for each image, [N].
"""

from __future__ import annotations

import torch
from torch import Tensor


def warped(
    images: Tensor,
    *,
    rotation: Tensor,
    scale: Tensor,
    shear: Tensor,
    down: Tensor,
    right: Tensor,
) -> Tensor:
    """Images under an affine map about their middle, read by bilinear interpolation.

    The pixel at p takes the value at R S p + d: `rotation` is the angle of R in radians, S has
    exp(`scale`) on its diagonal and exp(`scale`) · `shear` beside it, and d = (`down`, `right`) is
    in half images.
    """
    _, height, width = images.shape
    y = torch.arange(height, device=images.device, dtype=images.dtype) - (height - 1) / 2
    x = torch.arange(width, device=images.device, dtype=images.dtype) - (width - 1) / 2
    y, x = y[:, None], x[None, :]
    cosine, sine, size, shear = (
        one[:, None, None] for one in (rotation.cos(), rotation.sin(), scale.exp(), shear)
    )
    sheared, upright = size * (x + shear * y), size * y
    rows = sine * sheared + cosine * upright + (down * height / 2)[:, None, None]
    columns = cosine * sheared - sine * upright + (right * width / 2)[:, None, None]
    return sampled(images, rows + (height - 1) / 2, columns + (width - 1) / 2)


def sampled(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Bilinear interpolation of `images` at fractional `rows` and `columns`, each [N, H, W]; what
    lies outside has the value of the nearest pixel at the border."""
    _, height, width = images.shape
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    top = rows.detach().floor().clamp(max=max(height - 2, 0))
    left = columns.detach().floor().clamp(max=max(width - 2, 0))
    below, beside = rows - top, columns - left
    flat = images.flatten(1)
    first = (top * width + left).long().flatten(1)

    def corner(offset: int) -> Tensor:
        return flat.gather(1, first + offset).reshape(rows.shape)

    upper = (1.0 - beside) * corner(0) + beside * corner(1)
    lower = (1.0 - beside) * corner(width) + beside * corner(width + 1)
    return (1.0 - below) * upper + below * lower


def contrasted(images: Tensor, strength: Tensor) -> Tensor:
    """The distance of every pixel from its image's mean, times exp(`strength`)."""
    mean = images.mean((1, 2), keepdim=True)
    return mean + strength.exp()[:, None, None] * (images - mean)


def brightened(images: Tensor, strength: Tensor) -> Tensor:
    """`strength` added to every pixel."""
    return images + strength[:, None, None]
