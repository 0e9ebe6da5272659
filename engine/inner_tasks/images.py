"""Image classification: train on minibatches by cross-entropy, judge on held-out examples."""

from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from engine import random_bits
from engine.data.class_names import CLASS_NAMES
from engine.data.tensors import Split, load_tensors
from engine.inner_tasks.inner_task import Params
from engine.problem import Learner, Meta
from engine.spec import inner_tasks as options

NOISE_SEED = 1 << 31
"""Draws the labels that are wrong: the seed of no run."""
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "gelu": F.gelu}
TESTED_TOGETHER = 1000
"""Test examples in one forward pass: Fashion-MNIST's at once would fill a laptop's memory."""


class ImageTask:
    """What the networks share: data, batches, losses. A subclass adds `logits` and `arranged`.

    Inputs stay on the device; a batch is gathered there, so that an inner step never waits for
    the host.
    """

    def __init__(
        self, options: options.ImageTask, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.shapes = options.parameter_shapes()
        self.activation = ACTIVATIONS[options.activation]
        self.batch_size = options.batch_size
        self.meta_loss = options.meta_loss
        self.device = device
        self.dtype = dtype
        splits = load_tensors(options.dataset, device=device, dtype=dtype)
        self.image_shape = splits.train.inputs.shape[1:]
        self.classes = options.classes
        self.class_names = CLASS_NAMES[options.dataset]
        train = self._arranged(splits.train.first(options.train_examples))
        labels, self.corrupted = with_label_noise(train.labels, options.label_noise, self.classes)
        self.train = Split(train.inputs, labels, torch.arange(len(labels), device=device))
        self.validation = self._arranged(splits.validation.first(options.validation_examples))
        self.test = self._arranged(splits.test)

    def initial_params(self, seed: int) -> Params:
        """Uniform in ±1/√(fan in), weights and biases alike, as torch.nn's layers start.

        Drawn on the CPU in float64: the same on every device and, to rounding, in every precision.
        """
        generator = torch.Generator().manual_seed(seed)
        params: Params = {}
        for name, shape in self.shapes.items():
            if name.endswith(".weight"):
                bound = prod(shape[1:]) ** -0.5
            uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
            params[name] = (bound * (2.0 * uniform - 1.0)).to(self.device, self.dtype)
        return params

    def batch(self, seed: Tensor, t: int | Tensor) -> Split:
        """The minibatch of step `t`, drawn with replacement; all of the data without a size."""
        if self.batch_size is None:
            return self.train
        count = len(self.train.labels)
        indices = random_bits.uniform_indices(seed, t, self.batch_size, count)
        return Split(self.train.inputs[indices], self.train.labels[indices], indices)

    def training_loss(self, params: Params, batch: Split) -> Tensor:
        """Mean cross-entropy over the batch, in nats."""
        return F.cross_entropy(self.logits(params, batch.inputs), batch.labels)

    def whole_batch(self, seed: Tensor) -> Split:
        return self.train

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        """Mean cross-entropy on the held-out examples, or the share that is misclassified."""
        if self.meta_loss == "accuracy":
            return 1.0 - self.validation_accuracy(params)
        return self.training_loss(params, self.validation)

    def validation_accuracy(self, params: Params) -> Tensor:
        """Share of the held-out examples that are classified correctly; scalar in [0, 1]."""
        guesses = self.logits(params, self.validation.inputs).argmax(-1)
        return (guesses == self.validation.labels).to(self.dtype).mean()

    @torch.no_grad()
    def test_figures(self, problem: Learner, meta: Meta, seed: int) -> dict[str, float]:
        """Accuracy and cross-entropy, at the end of the inner loop of `seed`, on all examples that
        neither loop has seen."""
        params = problem.final_params(meta, seed)
        chunks = self.test.inputs.split(TESTED_TOGETHER)
        logits = torch.cat([self.logits(params, inputs) for inputs in chunks])
        hits = logits.argmax(-1) == self.test.labels
        return {
            "test_accuracy": hits.to(self.dtype).mean().item(),
            "test_loss": F.cross_entropy(logits, self.test.labels).item(),
        }

    def logits(self, params: Params, inputs: Tensor) -> Tensor:
        """Scores [N, classes] of inputs as `arranged` lays them out."""
        raise TypeError(f"{type(self).__name__} does not say how its model computes")

    def _arranged(self, split: Split) -> Split:
        return Split(self.arranged(split.inputs), split.labels)

    def arranged(self, inputs: Tensor) -> Tensor:
        """Inputs [N, *shape] as the first layer takes them."""
        raise TypeError(f"{type(self).__name__} does not say what its first layer takes")


def with_label_noise(labels: Tensor, share: float, classes: int) -> tuple[Tensor, Tensor]:
    """Labels [N] of which a share is replaced by one of the other classes, and which these are,
    bool [N]. An example's fate is the same in every run, and whatever number of them is used."""
    if share == 0.0:
        return labels, torch.zeros_like(labels, dtype=torch.bool)
    seed, count = torch.tensor(NOISE_SEED, device=labels.device), len(labels)
    corrupted = random_bits.uniform(seed, 0, count, torch.float64) < share
    others = 1 + random_bits.uniform_indices(seed, 1, count, classes - 1)
    return torch.where(corrupted, (labels + others) % classes, labels), corrupted


class ImageMLP(ImageTask):
    """Linear layers with a nonlinearity between them, on flattened images."""

    def arranged(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1)

    def logits(self, params: Params, inputs: Tensor) -> Tensor:
        last = len(params) // 2 - 1
        for layer in range(last + 1):
            weight, bias = params[f"layers.{layer}.weight"], params[f"layers.{layer}.bias"]
            inputs = F.linear(inputs, weight, bias)
            if layer < last:
                inputs = self.activation(inputs)
        return inputs


class ImageCNN(ImageTask):
    """Blocks of convolution (3 wide, padded), nonlinearity and 2× average pooling; linear head.

    Signals take one-dimensional convolutions, images two-dimensional ones.
    """

    def __init__(
        self, options: options.ImageCNN, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        super().__init__(options, device=device, dtype=dtype)
        self.blocks = len(options.channels)
        signals = self.train.inputs.dim() == 3
        self.convolve = F.conv1d if signals else F.conv2d
        self.pool = F.avg_pool1d if signals else F.avg_pool2d

    def arranged(self, inputs: Tensor) -> Tensor:
        return inputs.unsqueeze(1)

    def logits(self, params: Params, inputs: Tensor) -> Tensor:
        for block in range(self.blocks):
            weight, bias = params[f"blocks.{block}.weight"], params[f"blocks.{block}.bias"]
            convolved = self.convolve(inputs, weight, bias, padding=1)
            inputs = self.pool(self.activation(convolved), kernel_size=2)
        return F.linear(inputs.flatten(1), params["head.weight"], params["head.bias"])
