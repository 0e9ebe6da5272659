"""The networks that few-shot learners share, as pure functions of their parameters.

Every norm takes the mean and the variance of the batch that it is given, in training and in
judging alike, as in MAML's experiments: there are no running averages, and the queries of an
episode are seen together. It is written in operations whose derivatives of every order and mode
are right (those of a fused norm are not, in reverse over forward).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.inner_tasks.images import ACTIVATIONS
from engine.inner_tasks.inner_task import Params
from engine.spec.inner_tasks.backbones import (
    BLOCKS,
    BLOCKS_A_GROUP,
    CONVOLUTIONS_A_BLOCK,
    GROUPS,
    BackboneName,
)
from engine.spec.inner_tasks.inner_task import Shapes

Activation = Callable[[Tensor], Tensor]
EPSILON = 1e-5
"""Added to the variance of a channel."""
POOLINGS = {"max": F.max_pool2d, "average": F.avg_pool2d, "stride": None}


class Backbone:
    """Images [N, channels, side, side] to features [N, count]."""

    def __init__(self, name: BackboneName, *, activation: str = "relu", pooling: str = "max"):
        self.activation = ACTIVATIONS[activation]
        self.stride = 2 if pooling == "stride" else 1
        self.pool = partial(_pooled, POOLINGS[pooling])
        self._forward = {"conv4": self._conv4, "resnet12": self._resnet12, "wrn28": self._wrn28}[
            name
        ]

    def features(self, params: Params, inputs: Tensor, prefix: str = "backbone.") -> Tensor:
        """`params` has the tensors of `backbone_shapes`, each under its name after `prefix`."""

        def convolved(name: str, inputs: Tensor, **how: int) -> Tensor:
            return F.conv2d(inputs, params[f"{prefix}{name}.weight"], **how)

        def normed(name: str, inputs: Tensor) -> Tensor:
            scale, shift = params[f"{prefix}{name}.scale"], params[f"{prefix}{name}.shift"]
            return batch_normed(inputs, scale, shift)

        return self._forward(inputs, convolved, normed)

    def _conv4(self, inputs: Tensor, convolved: Callable, normed: Callable) -> Tensor:
        for block in range(BLOCKS):
            name = f"blocks.{block}"
            inputs = convolved(f"{name}.convolution", inputs, stride=self.stride, padding=1)
            inputs = self.pool(self.activation(normed(f"{name}.norm", inputs)))
        return inputs.flatten(1)

    def _resnet12(self, inputs: Tensor, convolved: Callable, normed: Callable) -> Tensor:
        for block in range(BLOCKS):
            name = f"blocks.{block}"
            shortcut = normed(f"{name}.shortcut_norm", convolved(f"{name}.shortcut", inputs))
            for layer in range(CONVOLUTIONS_A_BLOCK):
                inputs = convolved(f"{name}.convolutions.{layer}", inputs, padding=1)
                inputs = normed(f"{name}.norms.{layer}", inputs)
                if layer < CONVOLUTIONS_A_BLOCK - 1:
                    inputs = self.activation(inputs)
            inputs = self.pool(self.activation(inputs + shortcut))
        return inputs.mean((2, 3))

    def _wrn28(self, inputs: Tensor, convolved: Callable, normed: Callable) -> Tensor:
        inputs = convolved("stem", inputs, padding=1)
        for group in range(GROUPS):
            for block in range(BLOCKS_A_GROUP):
                name = f"groups.{group}.{block}"
                stride = 2 if group and not block else 1
                active = self.activation(normed(f"{name}.norms.0", inputs))
                if not block:
                    inputs = convolved(f"{name}.shortcut", active, stride=stride)
                active = convolved(f"{name}.convolutions.0", active, stride=stride, padding=1)
                active = self.activation(normed(f"{name}.norms.1", active))
                inputs = inputs + convolved(f"{name}.convolutions.1", active, padding=1)
        return self.activation(normed("norm", inputs)).mean((2, 3))


def batch_normed(inputs: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Every channel of [N, channels, height, width] with mean `shift` and standard deviation
    `scale` over the batch and the places."""
    variance, mean = torch.var_mean(inputs, (0, 2, 3), correction=0)
    slope = scale * torch.rsqrt(variance + EPSILON)
    offset = shift - mean * slope
    return inputs * slope[:, None, None] + offset[:, None, None]


def drawn_params(shapes: Shapes, seed: int, device: torch.device, dtype: torch.dtype) -> Params:
    """Weights uniform in ±1/√(fan in), biases and shifts 0, scales 1.

    Drawn on the CPU in float64: the same on every device and, to rounding, in every precision.
    """
    generator = torch.Generator().manual_seed(seed)
    params: Params = {}
    for name, shape in shapes.items():
        if name.endswith(".weight"):
            uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
            drawn = prod(shape[1:]) ** -0.5 * (2.0 * uniform - 1.0)
        else:
            drawn = torch.full(shape, float(name.endswith(".scale")), dtype=torch.float64)
        params[name] = drawn.to(device, dtype)
    return params


def _pooled(pool: Callable | None, inputs: Tensor) -> Tensor:
    """Half as large; an image one pixel wide, or already halved by a stride, stays as it is."""
    if pool is None or inputs.shape[-1] == 1:
        return inputs
    return pool(inputs, kernel_size=2)
