"""Dataset condensation by gradient matching (Zhao, Mopuri and Bilen, 2021).

    ℓ(w, S) = Σ_c Σ_layers Σ_outputs 1 − cos(∇_w L(w; T_c), ∇_w L(w; S_c))            (their eq. 9)

T_c are real images of class c and S_c the distilled ones, at the network w that trains on S. Biases
and the coefficients of norms are left out, as in the authors' code. With a network of its own for
every outer step and one inner step, this is the paper's way to one image of each class.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine import random_bits
from engine.data.class_names import CLASS_NAMES
from engine.data.tensors import Split, load_tensors, random_of_each_class
from engine.inner_tasks.backbones import drawn_params
from engine.inner_tasks.images import ACTIVATIONS, TESTED_TOGETHER
from engine.inner_tasks.inner_task import Params
from engine.problem import Learner, Meta, State
from engine.spec import inner_tasks as options

NORM_EPSILON = 1e-5
"""Added to the variance of a channel."""
COSINE_EPSILON = 1e-12
"""Added to squared lengths of gradients: where relu cuts an output off, it is zero."""
TEST_BATCH = 256
"""Images in a step of the training that is tested."""
TEST_STREAM = 1 << 32
"""Added to the seed: the networks that are tested are none of those that were trained on."""


class MatchingLearner(Learner):
    """A learner whose meta-loss compares its gradients on what it trains on with real ones."""

    judges_gradients = True

    def meta_loss(self, state: State, meta: Meta, t: int | Tensor) -> Tensor:
        seed = state["seed"]

        def gradients(batch: Split) -> Params:
            def loss(params: Params) -> Tensor:
                return self.task.training_loss(self.completed(meta, params), batch)

            return torch.func.grad(loss)(state["params"])

        return self.task.distance(gradients, self.distilled(meta, seed, t), seed, t)

    def distilled(self, meta: Meta, seed: Tensor, t: int | Tensor) -> Split:
        """What step `t` trains on: as many images of every class, class by class."""
        batch = self.task.batch(seed, t)
        for item in self.meta_parameters:
            batch = item.batch(meta, batch, seed, t)
        return batch


class GradientMatching:
    """A convolutional network: blocks of convolution, instance norm, nonlinearity and pooling."""

    problem = MatchingLearner

    def __init__(
        self, options: options.GradientMatching, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.options = options
        self.shapes = options.parameter_shapes()
        self.classes = options.classes
        self.class_names = CLASS_NAMES[options.dataset]
        self.activation = ACTIVATIONS[options.activation]
        self.device = device
        self.dtype = dtype
        splits = load_tensors(options.dataset, device=device, dtype=dtype)
        self.image_shape = splits.train.inputs.shape[1:]
        self.train, self.test = (
            Split(split.inputs.unsqueeze(1), split.labels) for split in (splits.train, splits.test)
        )
        self._of_class = [
            (self.train.labels == label).nonzero().flatten() for label in range(self.classes)
        ]
        self._tested: dict[tuple[int, int], float] = {}

    def initial_params(self, seed: int) -> Params:
        return drawn_params(self.shapes, seed, self.device, self.dtype)

    def batch(self, seed: Tensor, t: int | Tensor) -> Split:
        """All real images: the distilled ones take their place."""
        return self.train

    def whole_batch(self, seed: Tensor) -> Split:
        return self.train

    def training_loss(self, params: Params, batch: Split) -> Tensor:
        """Mean cross-entropy over the batch, in nats."""
        return F.cross_entropy(self.logits(params, batch.inputs), batch.labels)

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        raise TypeError("gradient matching judges gradients, not parameters")

    def logits(self, params: Params, inputs: Tensor) -> Tensor:
        """Scores [N, classes] of images [N, 1, height, width]."""
        for block in range(self.options.blocks):
            name = f"blocks.{block}"
            weight, bias = params[f"{name}.convolution.weight"], params[f"{name}.convolution.bias"]
            inputs = F.conv2d(inputs, weight, bias, padding=1)
            scale, shift = params[f"{name}.norm.scale"], params[f"{name}.norm.shift"]
            inputs = self.activation(instance_normed(inputs, scale, shift))
            inputs = F.avg_pool2d(inputs, kernel_size=2)
        return F.linear(inputs.flatten(1), params["head.weight"], params["head.bias"])

    def distance(self, gradients: Any, distilled: Split, seed: Tensor, t: int | Tensor) -> Tensor:
        """Σ over classes of the distance between `gradients` of real and of distilled images, each
        from a `Split`; scalar."""
        by_class = len(distilled.labels) // self.classes
        total = torch.zeros((), device=self.device, dtype=self.dtype)
        for label, indices in enumerate(self._drawn(seed, t)):
            real = gradients(Split(self.train.inputs[indices], self.train.labels[indices]))
            those = slice(label * by_class, (label + 1) * by_class)
            learned = gradients(Split(distilled.inputs[those], distilled.labels[those]))
            total = total + distance(real, learned)
        return total

    def _drawn(self, seed: Tensor, t: int | Tensor) -> list[Tensor]:
        """Which real images of each class step `t` compares with, drawn with replacement."""
        count = self.options.real_examples
        words = random_bits.bits(seed, t, self.classes * count).reshape(self.classes, count)
        return [of[word % len(of)] for of, word in zip(self._of_class, words, strict=True)]

    def test_figures(self, problem: MatchingLearner, meta: Meta, seed: int) -> dict[str, float]:
        """Share of the test images that new networks classify correctly, after training on the
        distilled images, and on as many random real ones (`test_accuracy_real`)."""
        if self.options.test_epochs == 0:
            return {}
        kept = [item for item in problem.meta_parameters if item.options.kind == "distilled_images"]
        distilled = kept[0].all_of_them(meta)
        by_class = len(distilled.labels) // self.classes
        return {
            "test_accuracy": self._accuracy_after(distilled, seed),
            "test_accuracy_real": self._accuracy_of_real(by_class, seed),
        }

    def _accuracy_of_real(self, by_class: int, seed: int) -> float:
        """Of as many random real images: the same in every outer step, so it is measured once."""
        if (by_class, seed) not in self._tested:
            indices = random_of_each_class(self.train.labels, self.classes, by_class, seed)
            real = Split(self.train.inputs[indices], self.train.labels[indices])
            self._tested[by_class, seed] = self._accuracy_after(real, seed)
        return self._tested[by_class, seed]

    def _accuracy_after(self, examples: Split, seed: int) -> float:
        """Test accuracy after training on `examples`, averaged over new networks."""
        count = self.options.test_networks
        seeds = [TEST_STREAM + count * seed + network for network in range(count)]
        return sum(self._accuracy(self._trained(examples, one)) for one in seeds) / count

    @torch.enable_grad()
    def _trained(self, examples: Split, seed: int) -> Params:
        """A new network after `test_epochs` on `examples`, by the rule of the authors' code."""
        generator = torch.Generator().manual_seed(seed)
        params = {name: w.requires_grad_() for name, w in self.initial_params(seed).items()}
        rule = torch.optim.SGD(
            list(params.values()),
            lr=self.options.test_learning_rate,
            momentum=0.9,
            weight_decay=0.0005,
        )
        epochs = self.options.test_epochs
        slower = torch.optim.lr_scheduler.MultiStepLR(rule, [epochs // 2 + 1])
        inputs, labels = examples.inputs.detach(), examples.labels.detach()
        for _ in range(epochs):
            order = torch.randperm(len(labels), generator=generator).to(self.device)
            for some in order.split(TEST_BATCH):
                rule.zero_grad()
                self.training_loss(params, Split(inputs[some], labels[some])).backward()
                rule.step()
            slower.step()
        return params

    @torch.no_grad()
    def _accuracy(self, params: Params) -> float:
        """Share of the test images that `params` classify correctly."""
        chunks = self.test.inputs.split(TESTED_TOGETHER)
        guesses = torch.cat([self.logits(params, inputs).argmax(-1) for inputs in chunks])
        return (guesses == self.test.labels).double().mean().item()


def instance_normed(inputs: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Every channel of every image with mean `shift` and standard deviation `scale`.

    In plain operations: derivatives of every order and mode are right.
    """
    variance, mean = torch.var_mean(inputs, (-2, -1), correction=0, keepdim=True)
    slope = scale[:, None, None] * torch.rsqrt(variance + NORM_EPSILON)
    return inputs * slope + (shift[:, None, None] - mean * slope)


def distance(first: Params, second: Params) -> Tensor:
    """Σ 1 − cos between two gradients, over the weights of layers and their outputs."""
    total = torch.zeros((), device=first["head.weight"].device, dtype=first["head.weight"].dtype)
    for name in first:
        if name.endswith(".weight"):
            a, b = first[name].flatten(1), second[name].flatten(1)
            lengths = (a.square().sum(1) + COSINE_EPSILON) * (b.square().sum(1) + COSINE_EPSILON)
            total = total + (1.0 - (a * b).sum(1) * torch.rsqrt(lengths)).sum()
    return total
