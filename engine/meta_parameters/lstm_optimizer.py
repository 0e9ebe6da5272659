"""Learned optimizers that are recurrent networks, one copy for every parameter.

Written in plain operations: fused recurrent layers have no second derivatives.
"""

import torch
from torch import Tensor

from engine.meta_parameters.learned_optimizer import LearnedOptimizer, zeros
from engine.problem import Params
from engine.trees import Tree

SMALLEST = 10.0
"""Gradients below e^−10 are told by their size, larger ones by their logarithm and sign."""


class LSTMOptimizer(LearnedOptimizer):
    """w ← w − a · (the network's output), from each parameter's gradients so far (Andrychowicz et
    al., "Learning to learn by gradient descent by gradient descent", 2016)."""

    def initial_memory(self, params: Params) -> Tree:
        return _start(params, self.options.layers, self.options.hidden)

    def step(
        self, w: Tensor, g: Tensor, memory: Tree, network: dict[str, Tensor], sizes: list[int]
    ) -> tuple[Tensor, Tree]:
        hidden, memory = _recurrent(preprocessed(g), memory, network)
        output = hidden @ network["output.weight"] + network["output.bias"]
        return w - self.options.step_multiplier * output[:, 0], memory


class MetaLSTM(LearnedOptimizer):
    """w_t = f_t · w_{t−1} − i_t · g_t (Ravi and Larochelle, "Optimization as a model for few-shot
    learning", 2017). Each gate is the sigmoid of a line in what a recurrent layer has read of the
    gradients, in w_{t−1} and in the gate before; the loss itself, which the paper shows the layer
    too, is not among what an update sees.
    """

    def initial_memory(self, params: Params) -> Tree:
        gates = {name: zeros(params) for name in ("forget", "input")}
        return {**_start(params, 1, self.options.hidden), **gates}

    def started(self, name: str, values: Tensor) -> Tensor:
        if name.endswith(".bias") and not self._is_inner(name):
            gate = getattr(self.options, f"{name.removesuffix('.bias')}_gate")
            return torch.logit(torch.full_like(values, gate))
        return values

    def step(
        self, w: Tensor, g: Tensor, memory: Tree, network: dict[str, Tensor], sizes: list[int]
    ) -> tuple[Tensor, Tree]:
        hidden, read = _recurrent(preprocessed(g), memory, network)

        def gate(name: str) -> Tensor:
            seen = torch.cat([hidden, w[:, None], memory[name][:, None]], dim=1)
            line = seen @ network[f"{name}.weight"] + network[f"{name}.bias"]
            return line[:, 0].sigmoid()

        gates = {name: gate(name) for name in ("forget", "input")}
        return gates["forget"] * w - gates["input"] * g, {**read, **gates}


def preprocessed(g: Tensor) -> Tensor:
    """(log|g| / p, sign g) where |g| ≥ e^−p, else (−1, e^p g), with p = 10; shape [P, 2]."""
    size = torch.log(g.abs().clamp(min=torch.e**-SMALLEST)) / SMALLEST
    return torch.stack([size, (torch.e**SMALLEST * g).clamp(-1.0, 1.0)], dim=1)


def _start(params: Params, layers: int, hidden: int) -> Tree:
    state = zeros(params, layers, trailing=(hidden,))
    return {"hidden": state, "cell": torch.zeros_like(state)}


def _recurrent(inputs: Tensor, memory: Tree, network: dict[str, Tensor]) -> tuple[Tensor, Tree]:
    """One step of the stacked LSTM layers: the last one's output [P, hidden], and what all
    remember, [layers, P, hidden] each."""
    hiddens, cells = [], []
    for layer, (hidden, cell) in enumerate(
        zip(memory["hidden"].unbind(), memory["cell"].unbind(), strict=True)
    ):
        weight, bias = network[f"layers.{layer}.weight"], network[f"layers.{layer}.bias"]
        gates = torch.cat([inputs, hidden], dim=1) @ weight + bias
        enter, keep, candidate, leave = gates.chunk(4, dim=1)
        cell = keep.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
        inputs = leave.sigmoid() * cell.tanh()
        hiddens.append(inputs)
        cells.append(cell)
    return inputs, {"hidden": torch.stack(hiddens), "cell": torch.stack(cells)}
