"""Proposals as the rows of one matrix, which is how libraries of searches want them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.problem import Meta


def rows(metas: Meta) -> Tensor:
    """Proposals along a leading axis, one row each; shape [proposals, dim θ], float64, CPU."""
    return torch.cat(
        [leaf.detach().reshape(len(leaf), -1).to("cpu", torch.float64) for leaf in metas.values()],
        dim=1,
    )


def unflattened(points: Tensor, like: Meta) -> Meta:
    """The inverse of `rows`, with the shapes, formats and device of the one θ `like`."""
    sizes = [math.prod(leaf.shape) for leaf in like.values()]
    return {
        name: part.reshape(len(points), *leaf.shape).to(leaf)
        for (name, leaf), part in zip(like.items(), points.split(sizes, dim=1), strict=True)
    }
