"""Multilayer perceptrons of every architecture in a list, as one model with parts left out.

An architecture a is an int64 tensor [decisions], the place of the option of each decision. All
have the same parameters, of which a smaller one uses some: so one recorded step serves all of them,
many can be trained together, and an exhaustive search is cheap.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.choice_learner import ChoiceLearner
from engine.inner_tasks.images import ImageTask
from engine.inner_tasks.inner_task import Params
from engine.pictures import Curves, Line, Picture
from engine.problem import Meta
from engine.spec.inner_tasks import architecture_choice as options

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sine": torch.sin,
}


class ArchitectureChoice(ImageTask):
    """`logits` and `started` read the architecture, `params["choice"]`, beside the parameters."""

    problem = ChoiceLearner
    decisions = options.DECISIONS

    def arranged(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1)

    def started(self, params: Params, choice: Tensor) -> Params:
        """The parameters that `choice` starts from: those of layers behind narrower ones are
        larger, as torch's layers of that width start."""
        fan_in = self._of(options.WIDTHS, choice, "width")
        factor = (max(options.WIDTHS) / fan_in).sqrt()
        first = ("layers.0.weight", "layers.0.bias")
        return {name: w if name in first else factor * w for name, w in params.items()}

    def logits(self, params: Params, inputs: Tensor) -> Tensor:
        choice = params["choice"]
        width = self._of(options.WIDTHS, choice, "width")
        depth = self._of(options.DEPTHS, choice, "depth")
        used = (torch.arange(max(options.WIDTHS), device=self.device) < width).to(self.dtype)
        skip = self._chosen(choice, "skip")[1]
        hidden = used * self._activated(params, 0, inputs)
        for layer in range(1, max(options.DEPTHS)):
            following = used * self._activated(params, layer, hidden) + skip * hidden
            hidden = torch.where(layer < depth, following, hidden)
        return F.linear(hidden, params["head.weight"], params["head.bias"])

    def _activated(self, params: Params, layer: int, inputs: Tensor) -> Tensor:
        z = F.linear(inputs, params[f"layers.{layer}.weight"], params[f"layers.{layer}.bias"])
        weights = self._chosen(params["choice"], "activation").unbind()
        names = self.decisions["activation"]
        results = (w * FUNCTIONS[name](z) for name, w in zip(names, weights, strict=True))
        return sum(results, torch.zeros_like(z))

    def _chosen(self, choice: Tensor, decision: str) -> Tensor:
        """1 for the option that was chosen and 0 for the others, [options]."""
        place = list(self.decisions).index(decision)
        every = torch.arange(len(self.decisions[decision]), device=self.device)
        return (every == choice.select(-1, place)).to(self.dtype)

    def _of(self, values: tuple[int, ...], choice: Tensor, decision: str) -> Tensor:
        return (self._chosen(choice, decision) * torch.tensor(values, device=self.device)).sum()

    def test_accuracy(self, params: Params) -> Tensor:
        """Share of the test examples that are classified correctly; scalar in [0, 1]."""
        guesses = self.logits(params, self.test.inputs).argmax(-1)
        return (guesses == self.test.labels).to(self.dtype).mean()

    def test_figures(self, problem: ChoiceLearner, meta: Meta, seed: int) -> dict[str, float]:
        """Test accuracy of the most probable architecture, of the one that an exhaustive search
        finds, and of all on average; and the rank of the first among all, by meta-loss."""
        losses, accuracies = problem.exhaustive_search(seed)
        chosen = int(problem.probabilities(meta).argmax())
        return {
            "test_accuracy": float(accuracies[chosen]),
            "test_accuracy_best": float(accuracies[losses.argmin()]),
            "test_accuracy_random": float(accuracies.mean()),
            "architecture_rank": 1.0 + float((losses < losses[chosen]).sum()),
        }

    def pictures(self, problem: ChoiceLearner, meta: Meta, seed: int) -> list[Picture]:
        """All architectures from best to worst, with what the policy thinks of each."""
        losses, _ = problem.exhaustive_search(seed)
        order = losses.argsort(stable=True)
        ranks = [float(rank) for rank in range(1, len(order) + 1)]
        judged = losses[order]
        judgement = "meta-loss"
        if self.meta_loss == "accuracy":
            judged, judgement = 1.0 - judged, "validation accuracy"
        before, now = (
            problem.probabilities(one)[order].tolist() for one in (problem.initial_meta(seed), meta)
        )
        lines = [
            Line(label=judgement, x=ranks, y=judged.tolist()),
            Line(label="probability", x=ranks, y=now),
            Line(label="probability at the start", x=ranks, y=before, dashed=True),
        ]
        drawing = Curves(
            x_title="Rank in the exhaustive search", y_title="Probability, accuracy", lines=lines
        )
        title = "The policy beside an exhaustive search"
        return [Picture(name="policy", title=title, drawing=drawing)]
