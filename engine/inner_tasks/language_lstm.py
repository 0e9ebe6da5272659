"""A character language model with long short-term memory, in operations that can be differentiated
again: torch's own recurrent layers have no second derivatives on CUDA, nor forward-mode ones."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.inner_tasks.inner_task import Params
from engine.inner_tasks.language import LanguageTask, Windows


class LanguageLSTM(LanguageTask):
    """Gates i, f, o and candidate g in one product a step, with the inputs' part of it taken for
    all steps at once; biases of the forget gates start at 1 (Gers et al., 2000)."""

    def initial_params(self, seed: int) -> Params:
        params = super().initial_params(seed)
        units = self.options.units
        for layer in range(self.options.layers):
            params[f"layers.{layer}.bias"][units : 2 * units] = 1.0
        return params

    def mask_shapes(self, windows: int) -> dict[str, tuple[int, ...]]:
        """Where dropout acts, each place with the shape of its mask for so many windows: one draw
        for all characters of a window (Gal and Ghahramani, 2016)."""
        options = self.options
        return {
            "embedding": (self.shapes["embedding.weight"][0], 1),
            "input": (windows, options.embedding),
            "hidden": (options.layers, windows, options.units),
        }

    def logits(self, params: Params, batch: Windows) -> Tensor:
        masks = batch.masks
        table = params["embedding.weight"]
        signal = F.embedding(batch.inputs, table if masks is None else table * masks["embedding"])
        if masks is not None:
            signal = signal * masks["input"]
        for layer in range(self.options.layers):
            signal = self._layer(params, f"layers.{layer}", signal)
            if masks is not None:
                signal = signal * masks["hidden"][layer]
        return F.linear(signal.flatten(0, 1), params["head.weight"], params["head.bias"])

    def _layer(self, params: Params, name: str, signal: Tensor) -> Tensor:
        """Hidden states [sequence, windows, units] of inputs [sequence, windows, width]."""
        units, transposed = self.options.units, params[f"{name}.hidden_weight"].t()
        entering = F.linear(signal, params[f"{name}.input_weight"], params[f"{name}.bias"])
        every, cell = [], None
        for gates in entering.unbind(0):
            if cell is not None:
                gates = torch.addmm(gates, every[-1], transposed)
            gate, candidate = gates.split([3 * units, units], dim=1)
            keep, forget, out = torch.sigmoid(gate).chunk(3, dim=1)
            written = keep * torch.tanh(candidate)
            cell = written if cell is None else forget * cell + written
            every.append(out * torch.tanh(cell))
        return torch.stack(every)
