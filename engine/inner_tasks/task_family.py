"""Small tasks, each a function of its seed, as learned optimizers are trained on many of them.

A seed draws which examples of a data set the task has, and their coordinates

    x' = H S P x,

P a projection with random signs, S a diagonal of condition number log-uniform in [1, κ], and H a
reflection in a random direction, which hides S from rules that look at single coordinates; then a
linear target, or an order of the classes. The inner loop moves v = w / c, with c log-uniform
(parameters reparameterised as in Metz et al., "VeLO", 2022). All this is worked out again for
every batch, in a few operations of fixed shapes, so that a task has no state and tasks go together.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from engine import random_bits
from engine.data.tensors import Split, load_tensors
from engine.held_out import mean_loss, tuned_adam_loss
from engine.inner_tasks.inner_task import Params
from engine.problem import Meta
from engine.spec import inner_tasks as options
from engine.spec.inner_tasks.task_family import CLASSES

TRAIN, VALIDATION, PROJECTION, CONDITION, REFLECTION, TARGET, SCALE = range(-7, 0)
"""Numbers of random draws that belong to a task as a whole: batches have those of their steps."""
BITS = 64


class Batch(NamedTuple):
    inputs: Tensor
    """[N, features]."""
    targets: Tensor
    """[N]: numbers, or int64 classes."""
    scale: Tensor
    """c, a scalar."""


class TaskFamily:
    """Initial parameters, batches and losses of the task that a seed draws."""

    def __init__(
        self, options: options.TaskFamily, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.options = options
        self.shapes = options.parameter_shapes()
        self.device, self.dtype = device, dtype
        splits = load_tensors(options.dataset, device=device, dtype=dtype)
        self.train, self.validation = splits.train, splits.validation
        exponents = torch.linspace(0.0, 0.5, options.features, dtype=torch.float64)
        self.exponents = exponents.to(device, dtype)

    def initial_params(self, seed: int) -> Params:
        """Uniform in ±1/√(fan in), as torch.nn's layers start, and over c."""
        generator = torch.Generator().manual_seed(seed)
        scale = self._scale(torch.tensor(seed, device=self.device))
        params: Params = {}
        for name, shape in self.shapes.items():
            if name.endswith(".weight"):
                bound = shape[1] ** -0.5
            uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
            params[name] = (bound * (2.0 * uniform - 1.0)).to(self.device, self.dtype) / scale
        return params

    def batch(self, seed: Tensor, t: int | Tensor) -> Batch:
        """Examples of the task for step `t`, drawn with replacement."""
        if self.options.batch_size is None:
            return self.whole_batch(seed)
        rows = random_bits.uniform_indices(seed, t, self.options.batch_size, self.options.examples)
        return self._examples(seed, self.train, self._drawn(seed, TRAIN, self.train)[rows])

    def whole_batch(self, seed: Tensor) -> Batch:
        return self._examples(seed, self.train, self._drawn(seed, TRAIN, self.train))

    def training_loss(self, params: Params, batch: Batch) -> Tensor:
        """Half the mean squared error, or the mean cross-entropy in nats."""
        if self.options.family == "least_squares":
            outputs = batch.inputs @ (batch.scale * params["layers.0.weight"][0])
            return 0.5 * ((outputs - batch.targets) ** 2).mean()
        outputs = batch.inputs
        last = len(self.shapes) // 2 - 1
        for layer in range(last + 1):
            weight, bias = (params[f"layers.{layer}.{part}"] for part in ("weight", "bias"))
            outputs = F.linear(outputs, batch.scale * weight, batch.scale * bias)
            outputs = torch.tanh(outputs) if layer < last else outputs
        return F.cross_entropy(outputs, batch.targets)

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        """The training loss on examples of the task that the inner loop does not see."""
        chosen = self._drawn(seed, VALIDATION, self.validation)
        return self.training_loss(params, self._examples(seed, self.validation, chosen))

    def test_figures(self, problem: Any, meta: Meta, seed: int) -> dict[str, float]:
        """The meta-loss on tasks that no outer step has seen, and that of tuned Adam on these."""
        adam = tuned_adam_loss(self, problem.horizon, problem.objective)
        return {"test_loss": mean_loss(problem, meta), "test_loss_adam": adam}

    def _drawn(self, seed: Tensor, draw: int, split: Split) -> Tensor:
        """Which of the examples the task has; int64 [examples]."""
        return random_bits.uniform_indices(seed, draw, self.options.examples, len(split.labels))

    def _examples(self, seed: Tensor, split: Split, chosen: Tensor) -> Batch:
        inputs = self._coordinates(seed, split.inputs[chosen].flatten(1))
        if self.options.family == "least_squares":
            target = random_bits.normal(seed, TARGET, self.options.features, self.dtype)
            return Batch(inputs, inputs @ target, self._scale(seed))
        order = random_bits.bits(seed, TARGET, CLASSES).argsort()
        return Batch(inputs, order[split.labels[chosen]], self._scale(seed))

    def _coordinates(self, seed: Tensor, inputs: Tensor) -> Tensor:
        """x' of inputs [N, pixels]; shape [N, features]."""
        pixels, features = inputs.shape[1], self.options.features
        words = random_bits.bits(seed, PROJECTION, math.ceil(pixels * features / BITS))
        coins = (words[:, None] >> torch.arange(BITS, device=self.device)) & 1
        signs = 2.0 * coins.flatten()[: pixels * features].to(self.dtype) - 1.0
        projected = inputs @ signs.reshape(pixels, features) * pixels**-0.5

        drawn = random_bits.uniform(seed, CONDITION, 1, self.dtype)
        scaled = projected * self.options.condition_number ** (-drawn * self.exponents)
        normal = random_bits.normal(seed, REFLECTION, features, self.dtype)
        return scaled - torch.outer(scaled @ normal, normal) * (2.0 / (normal @ normal))

    def _scale(self, seed: Tensor) -> Tensor:
        """c of the task; a scalar."""
        drawn = random_bits.uniform(seed, SCALE, 1, self.dtype)[0]
        return self.options.augmentation ** (2.0 * drawn - 1.0)
