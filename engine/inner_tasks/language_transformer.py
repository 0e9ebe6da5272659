"""A small transformer for characters, in operations that can be differentiated again: torch's
fused attention has no second derivatives, and the gradient of a forward-mode derivative is wrong
through its fused layer norm."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.inner_tasks.inner_task import Params
from engine.inner_tasks.language import LanguageTask, Windows
from engine.spec.inner_tasks import language as options

EPSILON = 1e-5


class LanguageTransformer(LanguageTask):
    """Blocks of causal self-attention and a multilayer perceptron, each added to what it reads,
    with layer norm before it (Vaswani et al., 2017; Xiong et al., 2020)."""

    def __init__(
        self, options: options.LanguageTransformer, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        super().__init__(options, device=device, dtype=dtype)
        square = options.sequence, options.sequence
        later = torch.ones(square, dtype=torch.bool, device=device).triu(1)
        self.hidden_places = torch.zeros(square, device=device, dtype=dtype).masked_fill(
            later, -torch.inf
        )

    def logits(self, params: Params, batch: Windows) -> Tensor:
        signal = F.embedding(batch.inputs.t(), params["embedding.weight"])
        signal = signal + params["position.weight"]
        for block in range(self.options.blocks):
            name = f"blocks.{block}"
            signal = signal + self._attention(params, name, signal)
            signal = signal + self._mlp(params, name, signal)
        signal = _layer_norm(params, "norm", signal).transpose(0, 1)
        return _linear(params, "head", signal.flatten(0, 1))

    def _attention(self, params: Params, name: str, signal: Tensor) -> Tensor:
        """Softmax of scaled products of queries and keys, without the places that come later."""
        windows, sequence, width = signal.shape
        heads = self.options.heads
        normed = _layer_norm(params, f"{name}.attention_norm", signal)
        apart = F.linear(normed, params[f"{name}.attention_in.weight"])
        apart = apart.reshape(windows, sequence, 3, heads, width // heads)
        query, key, value = apart.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(-1, -2) * (width // heads) ** -0.5
        read = torch.softmax(scores + self.hidden_places, dim=-1) @ value
        together = read.transpose(1, 2).reshape(windows, sequence, width)
        return _linear(params, f"{name}.attention_out", together)

    def _mlp(self, params: Params, name: str, signal: Tensor) -> Tensor:
        normed = _layer_norm(params, f"{name}.mlp_norm", signal)
        inside = F.gelu(_linear(params, f"{name}.mlp_in", normed))
        return _linear(params, f"{name}.mlp_out", inside)


def _linear(params: Params, name: str, signal: Tensor) -> Tensor:
    return F.linear(signal, params[f"{name}.weight"], params[f"{name}.bias"])


def _layer_norm(params: Params, name: str, signal: Tensor) -> Tensor:
    centred = signal - signal.mean(-1, keepdim=True)
    variance = (centred * centred).mean(-1, keepdim=True)
    normed = centred * torch.rsqrt(variance + EPSILON)
    return normed * params[f"{name}.scale"] + params[f"{name}.shift"]
