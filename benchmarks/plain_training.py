"""The baseline: the same network, data and batch size, trained as any PyTorch script would."""

from collections.abc import Callable

import torch
from torch import nn

from benchmarks.networks import network_of
from engine.problem import Learner

LEARNING_RATES = {torch.optim.SGD: 0.1, torch.optim.Adam: 0.001}


def plain_training(
    problem: Learner, steps: int, *, rule: type[torch.optim.Optimizer] = torch.optim.SGD
) -> Callable[[], None]:
    """A function that trains an nn.Module with torch.optim's `rule` for `steps` steps."""
    task = problem.task
    network = network_of(task)
    optimizer = rule(network.parameters(), lr=LEARNING_RATES[rule])
    count = len(task.train.labels)

    def train() -> None:
        for _ in range(steps):
            chosen = torch.randint(count, (task.batch_size,))
            optimizer.zero_grad()
            scores = network(task.train.inputs[chosen])
            nn.functional.cross_entropy(scores, task.train.labels[chosen]).backward()
            optimizer.step()

    return train
