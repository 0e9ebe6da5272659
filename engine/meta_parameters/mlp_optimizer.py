"""A learned optimizer that is a multilayer perceptron on features of each parameter.

After Metz, Maheswaranathan, Nixon, Freeman and Sohl-Dickstein, "Understanding and correcting
pathologies in the training of learned optimizers" (2019) and "Tasks, stability, architecture, and
compute" (2020), their `small_fc_lopt`.
"""

import torch
from torch import Tensor

from engine.meta_parameters.learned_optimizer import LearnedOptimizer, zeros
from engine.problem import Params
from engine.trees import Tree

MEAN_DECAYS = (0.5, 0.9, 0.99, 0.999)
SQUARE_DECAYS = (0.9, 0.999)
TIMES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
"""The network is told tanh(t / x) for each x: where in the training it is, on every scale."""
TINY = 1e-12
"""Added to mean squares before their root is divided by."""


class MLPOptimizer(LearnedOptimizer):
    """w ← w − a · direction · exp(b · magnitude), two outputs of one network for every parameter.

    It sees g; its running means m at four decays; the root r of its running mean square, at two
    decays; 1/r, g/r and m/r; and w. Each of these is divided by its root mean square over the
    tensor that the parameter belongs to, so that the rule is blind to the scale of the loss and of
    the layer.
    """

    def initial_memory(self, params: Params) -> Tree:
        means, squares = len(MEAN_DECAYS), len(SQUARE_DECAYS)
        return {"means": zeros(params, means), "squares": zeros(params, squares)}

    def step(
        self, w: Tensor, g: Tensor, memory: Tree, network: dict[str, Tensor], sizes: list[int]
    ) -> tuple[Tensor, Tree]:
        means = _averaged(memory["means"], g, MEAN_DECAYS)
        squares = _averaged(memory["squares"], g**2, SQUARE_DECAYS)
        root = torch.sqrt(squares + TINY)
        seen = torch.cat([g[None], w[None], means, root, 1.0 / root, g / root, means / root[-1]])
        features = _normalised(seen, sizes).T
        times = torch.tanh(network["time"] / w.new_tensor(TIMES))
        first = network["first.weight"]
        # All parameters see the same times, so what these add to the layer is worked out once.
        shared = times @ first[len(seen) :] + network["first.bias"]
        hidden = torch.tanh(features @ first[: len(seen)] + shared)
        hidden = torch.tanh(hidden @ network["second.weight"] + network["second.bias"])
        direction, magnitude = (hidden @ network["output.weight"] + network["output.bias"]).T
        size = torch.exp(self.options.exponent_multiplier * magnitude)
        moved = w - self.options.step_multiplier * direction * size
        return moved, {"means": means, "squares": squares}


def _averaged(before: Tensor, value: Tensor, decays: tuple[float, ...]) -> Tensor:
    """Running means of `value` [P], one for each decay; shape [decays, P]."""
    kept = before.new_tensor(decays)[:, None]
    return kept * before + (1.0 - kept) * value


def _normalised(seen: Tensor, sizes: list[int]) -> Tensor:
    """Features [features, P], each over its root mean square over each tensor of the model."""
    count = torch.tensor(sizes, device=seen.device)
    owner = torch.arange(len(sizes), device=seen.device).repeat_interleave(
        count, output_size=seen.shape[1]
    )
    total = seen.new_zeros(seen.shape[0], len(sizes)).index_add(1, owner, seen**2)
    return seen * torch.rsqrt(total / count + TINY).index_select(1, owner)
