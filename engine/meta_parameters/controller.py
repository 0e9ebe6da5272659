"""The architecture slot, by a policy that draws architectures (Zoph and Le, 2017).

    h_d = tanh(W h_{d−1} + b + e_{d−1}),     π(a_d | a_1 … a_{d−1}) = softmax(V_d h_d + c_d)

where e_{d−1} is what is learned of the option that was chosen before, and h_0 = e_0 = 0. Zoph and
Le have an LSTM for tens of decisions; for a handful, plain recurrence remembers as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine.meta_parameters.meta_parameter import MetaParameter
from engine.pictures import Edge, Graph, Picture
from engine.problem import Meta, Params

SPREAD = 0.08
"""Every weight starts uniform in ±SPREAD (Zoph and Le, 2017, section 4.1)."""


class Controller(MetaParameter):
    """θ holds `controller.recurrent.…`, and for each decision `controller.<decision>.weight` V_d,
    `.bias` c_d and `.embedding` (of all but the last). `choices` lists everything it may draw,
    int64 [choices, decisions]."""

    def __init__(self, options: Any, *, task: Any, **parts: Any) -> None:
        super().__init__(options, task=task, **parts)
        self.decisions: dict[str, tuple[str, ...]] = task.decisions
        places = [torch.arange(len(names)) for names in self.decisions.values()]
        self.choices = torch.cartesian_prod(*places).to(task.device)

    def initial(self, params: Params, seed: int) -> Meta:
        some = next(iter(params.values()))
        source = torch.Generator().manual_seed(seed)
        return {
            f"controller.{name}": SPREAD
            * (2.0 * torch.rand(shape, generator=source, dtype=torch.float64) - 1.0).to(some)
            for name, shape in self.options.shapes(self.decisions).items()
        }

    def log_probability(self, meta: Meta, choices: Tensor) -> Tensor:
        """log π_θ of `choices`, int64 [n, decisions]; shape [n]."""
        return self._decided(meta, len(choices), lambda index, _: choices[:, index])[1]

    def sample(self, meta: Meta, count: int, source: torch.Generator) -> Tensor:
        """`count` independent choices, int64 [count, decisions]: the option with the largest
        logit plus noise of a Gumbel distribution is one of the softmax."""

        def drawn(_: int, logits: Tensor) -> Tensor:
            uniform = torch.rand(logits.shape, generator=source, dtype=torch.float64)
            noise = -torch.log(-torch.log(uniform.clamp(min=1e-300)))
            return (logits + noise.to(logits.device)).argmax(-1)

        return self._decided(meta, count, drawn)[0]

    def _decided(
        self, meta: Meta, count: int, decide: Callable[[int, Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        """`count` choices, where decide(place, logits [count, options]) makes each decision; and
        their log-probabilities."""
        weight = meta["controller.recurrent.weight"]
        bias = meta["controller.recurrent.bias"]
        hidden, given = weight.new_zeros(count, len(bias)), weight.new_zeros(count, len(bias))
        total, decided = weight.new_zeros(count), []
        for index, name in enumerate(self.decisions):
            hidden = torch.tanh(hidden @ weight.T + bias + given)
            logits = hidden @ meta[f"controller.{name}.weight"].T + meta[f"controller.{name}.bias"]
            choice = decide(index, logits)
            decided.append(choice)
            total = total + logits.log_softmax(-1).gather(-1, choice[:, None])[:, 0]
            if (embedding := f"controller.{name}.embedding") in meta:
                given = meta[embedding].index_select(0, choice)
        return torch.stack(decided, -1), total

    @torch.no_grad()
    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """The most probable decisions in their order, each as strong as it is certain."""
        choice = self.choices[self.log_probability(meta, self.choices).argmax()]
        probabilities: list[float] = []

        def follow(index: int, logits: Tensor) -> Tensor:
            probabilities.append(float(logits.softmax(-1)[0, choice[index]]))
            return choice[index][None]

        self._decided(meta, 1, follow)
        names = ["controller", *self.decisions]
        edges = [
            Edge(source=names[i], target=name, label=labels[choice[i]], weight=probabilities[i])
            for i, (name, labels) in enumerate(self.decisions.items())
        ]
        title = "The most probable architecture, decision by decision"
        return [Picture(name="controller", title=title, drawing=Graph(nodes=names, edges=edges))]
