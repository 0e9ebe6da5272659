"""The baseline: the same network, data and batch size, trained as any PyTorch script would."""

from itertools import pairwise

import torch
from torch import nn

from engine.inner_tasks.images import ImageMLP
from engine.problem import Learner

LEARNING_RATE = 0.1


def plain_training(problem: Learner, steps: int):
    """A function that trains an nn.Module with torch.optim.SGD for `steps` steps."""
    task = problem.task
    network = _network(task)
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    count = len(task.train.labels)

    def train() -> None:
        for _ in range(steps):
            chosen = torch.randint(count, (task.batch_size,))
            optimizer.zero_grad()
            scores = network(task.train.inputs[chosen])
            nn.functional.cross_entropy(scores, task.train.labels[chosen]).backward()
            optimizer.step()

    return train


def _network(task: ImageMLP) -> nn.Sequential:
    weights = [shape for name, shape in task.shapes.items() if name.endswith("weight")]
    widths = [weights[0][1], *(shape[0] for shape in weights)]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out, dtype=task.dtype), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
