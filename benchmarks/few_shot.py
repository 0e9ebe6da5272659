"""MAML's few-shot setting as an inner loop: conv4, N-way K-shot, adapted in a few steps.

(Finn, Abbeel and Levine, 2017: four blocks of 3×3 convolution, batch normalisation, ReLU and 2×2
max pooling; the batch's own statistics always.) The episode is drawn from Fashion-MNIST.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.data.tensors import Split, load_tensors
from engine.inner_optimizers import SGD
from engine.inner_tasks.inner_task import Params
from engine.meta_parameters.initialisation import Initialisation
from engine.problem import Learner
from engine.spec.meta_parameters import initialisation as options


class FewShot:
    """One episode: `ways` classes, `shots` examples each to train on and `queries` to judge by."""

    blocks = 4

    def __init__(self, *, ways: int = 5, shots: int = 1, queries: int = 15, filters: int = 64):
        self.ways, self.filters = ways, filters
        self.dtype = torch.float32
        train = load_tensors("fashion_mnist", device=torch.device("cpu"), dtype=self.dtype).train
        chosen = [(train.labels == label).nonzero()[: shots + queries, 0] for label in range(ways)]
        self.train = self._split(train, [c[:shots] for c in chosen])
        self.validation = self._split(train, [c[shots:] for c in chosen])

    def _split(self, data: Split, chosen: list[Tensor]) -> Split:
        indices = torch.cat(chosen)
        return Split(data.inputs[indices].unsqueeze(1), data.labels[indices])

    def initial_params(self, seed: int) -> Params:
        generator = torch.Generator().manual_seed(seed)
        params: Params = {}
        fan_in = 1
        for block in range(self.blocks):
            shape = (self.filters, fan_in, 3, 3)
            params[f"{block}.weight"] = (fan_in * 9) ** -0.5 * torch.randn(
                shape, generator=generator
            )
            params[f"{block}.bias"] = torch.zeros(self.filters)
            params[f"{block}.scale"] = torch.ones(self.filters)
            params[f"{block}.shift"] = torch.zeros(self.filters)
            fan_in = self.filters
        head = torch.randn((self.ways, self.filters), generator=generator)
        return params | {"head.weight": 0.1 * head, "head.bias": torch.zeros(self.ways)}

    def batch(self, seed: Tensor, t: int | Tensor) -> Split:
        return self.train

    def training_loss(self, params: Params, batch: Split) -> Tensor:
        return F.cross_entropy(self.logits(params, batch.inputs), batch.labels)

    def whole_batch(self, seed: Tensor) -> Split:
        return self.train

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        return self.training_loss(params, self.validation)

    def logits(self, params: Params, inputs: Tensor) -> Tensor:
        for block in range(self.blocks):
            weight, bias = params[f"{block}.weight"], params[f"{block}.bias"]
            inputs = F.conv2d(inputs, weight, bias, padding=1)
            inputs = F.batch_norm(
                inputs, None, None, params[f"{block}.scale"], params[f"{block}.shift"],
                training=True,
            )  # fmt: skip
            inputs = F.max_pool2d(torch.relu(inputs), 2)
        return F.linear(inputs.flatten(1), params["head.weight"], params["head.bias"])


def few_shot_learner(*, steps: int = 5, rate: float = 0.4) -> Learner:
    """MAML on one episode: the initial parameters are learned."""
    task = FewShot()
    learned = Initialisation(options.Initialisation(), task=task, horizon=steps)
    return Learner(
        task=task,
        optimizer=SGD(),
        fixed={"learning_rate": rate, "weight_decay": 0.0},
        meta_parameters=[learned],
        horizon=steps,
        objective="final",
    )
