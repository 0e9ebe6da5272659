"""Black-box few-shot learners: a network reads the support, an image and its label a step."""

from __future__ import annotations

from math import sqrt
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.inner_tasks.inner_task import Params
from engine.inner_tasks.network_task import NetworkTask
from engine.problem import Hyper
from engine.spec.inner_tasks.few_shot_network import FewShotBlackBox


class FewShotBlackBoxTask(NetworkTask):
    """A query is read as the support is, with zeros in the place of its label, by each for itself.

    Everything is written in plain operations, so that derivatives of every mode exist.
    """

    def __init__(self, options: FewShotBlackBox, **where: Any) -> None:
        super().__init__(options, **where)
        self.steps = options.steps
        reader = {"lstm": _LSTM, "snail": _SNAIL}[options.reader](options)
        self._read, self._answer = reader.read, reader.answer

    def transition(self, params: Params, hyper: Hyper, seed: Tensor, t: int | Tensor) -> Params:
        place = torch.as_tensor(t, device=self.device).reshape(1)
        example = torch.cat([params["support"], self.one_hot()], 1)[place]
        kept = {name: params[name] for name in ("support", "queries")}
        return kept | self._read(params, example, place)

    def query_logits(self, params: Params, seed: Tensor) -> Tensor:
        queries = params["queries"]
        unlabelled = queries.new_zeros(len(queries), self.options.ways)
        answer = self._answer(params, torch.cat([queries, unlabelled], 1))
        return F.linear(answer, params["head.weight"], params["head.bias"])


class _LSTM:
    """Hochreiter and Schmidhuber (1997), with forget gates."""

    def __init__(self, options: FewShotBlackBox) -> None:
        pass

    def read(self, params: Params, example: Tensor, place: Tensor) -> Params:
        hidden, cell = self._next(params, example)
        return {"hidden": hidden[0], "cell": cell[0]}

    def answer(self, params: Params, examples: Tensor) -> Tensor:
        return self._next(params, examples)[0]

    def _next(self, params: Params, examples: Tensor) -> tuple[Tensor, Tensor]:
        gates = F.linear(examples, params["lstm.input.weight"], params["lstm.bias"])
        gates = gates + params["lstm.hidden.weight"] @ params["hidden"]
        entrance, forget, candidate, exit_ = gates.chunk(4, -1)
        cell = forget.sigmoid() * params["cell"] + entrance.sigmoid() * candidate.tanh()
        return exit_.sigmoid() * cell.tanh(), cell


class _SNAIL:
    """Mishra, Rohaninejad, Chen and Abbeel (2018): dense blocks of causal convolutions two wide,
    whose dilations double, and causal attention on top. A step computes one column of all layers;
    what it needs of those before it is in the state."""

    def __init__(self, options: FewShotBlackBox) -> None:
        self.entries, self.units = options.entries, options.units
        self.convolutions, self.steps = options.convolutions, options.steps

    def read(self, params: Params, example: Tensor, place: Tensor) -> Params:
        column = self._column(params, example, place)
        here = (torch.arange(self.steps, device=place.device) == place).unsqueeze(1)
        key, value = self._key_and_value(params, column)
        return {
            "columns": torch.where(here, column, params["columns"]),
            "keys": torch.where(here, key, params["keys"]),
            "values": torch.where(here, value, params["values"]),
        }

    def answer(self, params: Params, examples: Tensor) -> Tensor:
        last = torch.full((1,), self.steps, device=examples.device)
        column = self._column(params, examples, last)
        key, value = self._key_and_value(params, column)
        query = F.linear(column, params["attention.query.weight"])
        # An explicit softmax, over all that was read and the query itself.
        scores = torch.cat([query @ params["keys"].mT, (query * key).sum(1, keepdim=True)], 1)
        attention = (scores / sqrt(self.units)).softmax(1)
        found = attention[:, :-1] @ params["values"] + attention[:, -1:] * value
        return torch.cat([column, found], 1)

    def _column(self, params: Params, examples: Tensor, place: Tensor) -> Tensor:
        """[N, channels] of N examples that each stand at `place`, [1]."""
        column = examples
        for layer in range(self.convolutions):
            before = place - 2**layer
            past = params["columns"][before.clamp(min=0)][:, : column.shape[1]]
            past = torch.where((before >= 0).unsqueeze(1), past, 0.0).expand(len(column), -1)
            weight = params[f"convolutions.{layer}.weight"]
            bias = params[f"convolutions.{layer}.bias"]
            value, gate = F.linear(torch.cat([past, column], 1), weight, bias).chunk(2, 1)
            column = torch.cat([column, value.tanh() * gate.sigmoid()], 1)
        return column

    def _key_and_value(self, params: Params, column: Tensor) -> tuple[Tensor, Tensor]:
        return (
            F.linear(column, params["attention.key.weight"]),
            F.linear(column, params["attention.value.weight"]),
        )
