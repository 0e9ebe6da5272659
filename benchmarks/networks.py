"""The same networks as torch.nn modules, for plain training and for libraries that want modules."""

from itertools import pairwise

import torch
from torch import nn

from benchmarks.few_shot import FewShot
from engine.inner_tasks.images import ImageMLP
from engine.problem import Params

ACTIVATIONS = {torch.relu: nn.ReLU, torch.tanh: nn.Tanh}


def network_of(task: ImageMLP | FewShot) -> nn.Sequential:
    """The model of `task`, with its layers in the order of the task's parameters."""
    return _conv4(task) if isinstance(task, FewShot) else _perceptron(task)


def load(network: nn.Module, params: Params) -> None:
    """Give `network` the values of `params`, tensor by tensor in their order."""
    for own, given in zip(network.parameters(), params.values(), strict=True):
        own.data.copy_(given)


def _perceptron(task: ImageMLP) -> nn.Sequential:
    weights = [shape for name, shape in task.shapes.items() if name.endswith("weight")]
    widths = [weights[0][1], *(shape[0] for shape in weights)]
    activation = ACTIVATIONS[task.activation]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out, dtype=task.dtype), activation()]
    return nn.Sequential(*layers[:-1])


def _conv4(task: FewShot) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise([1, *[task.filters] * task.blocks]):
        layers += [
            nn.Conv2d(fan_in, fan_out, 3, padding=1, dtype=task.dtype),
            nn.BatchNorm2d(fan_out, track_running_stats=False, dtype=task.dtype),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(task.filters, task.ways, dtype=task.dtype)
    )
