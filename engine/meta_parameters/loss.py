"""The loss slot: what the inner loop minimises in place of the cross-entropy.

The inner task classifies: it has `logits(params, inputs)` and `classes`, and its batches have
`inputs` and `labels`, int64 [N] or shares [N, classes]. The meta-loss stays the task's own.
"""

from __future__ import annotations

from math import expm1, log
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.data.tensors import Split
from engine.meta_parameters.curves import line
from engine.meta_parameters.meta_parameter import MetaParameter
from engine.pictures import Curves, Picture, images
from engine.problem import Meta, Params


class LossFunction(MetaParameter):
    """What the kinds share. A subclass says by `losses` what each example of a batch costs."""

    def training_loss(self, meta: Meta, params: Params, batch: Split) -> Tensor:
        """Mean loss over the batch; scalar."""
        log_shares = F.log_softmax(self.task.logits(params, batch.inputs), dim=-1)
        return self.losses(meta, log_shares, self._shares(batch.labels, log_shares), batch).mean()

    def losses(self, meta: Meta, log_shares: Tensor, labels: Tensor, batch: Split) -> Tensor:
        """Of each example, [N], from the log-probabilities of the classes and the label's shares
        of them, both [N, classes]."""
        raise TypeError(f"{type(self).__name__} does not say what an example costs")

    def _shares(self, labels: Tensor, like: Tensor) -> Tensor:
        if labels.dim() == 2:
            return labels
        classes = torch.arange(self.task.classes, device=labels.device)
        return (labels[:, None] == classes).to(like.dtype)


def cross_entropy(log_shares: Tensor, labels: Tensor) -> Tensor:
    """Of each example, [N], in nats."""
    return -(labels * log_shares).sum(-1)


class LabelSmoothing(LossFunction):
    """θ holds `label_smoothing`: the logit of the share s of a label that is spread evenly over all
    classes, scalar; or logits [classes, classes], whose softmax over a row is what a label becomes.
    """

    logarithmic = True
    """Logits are logarithms: of odds, or of shares up to a factor."""

    @property
    def odds(self) -> bool:
        return self.options.granularity == "scalar"

    def initial(self, params: Params, seed: int) -> Meta:
        some, classes, share = next(iter(params.values())), self.task.classes, self.options.initial
        if self.options.granularity == "scalar":
            start = torch.tensor(log(share) - log(1.0 - share), dtype=torch.float64)
        else:
            identity = torch.eye(classes, dtype=torch.float64)
            start = ((1.0 - share) * identity + share / classes).log()
        return {"label_smoothing": start.to(some)}

    def losses(self, meta: Meta, log_shares: Tensor, labels: Tensor, batch: Split) -> Tensor:
        return cross_entropy(log_shares, self.smoothed(meta, labels))

    def smoothed(self, meta: Meta, labels: Tensor) -> Tensor:
        """What labels [N, classes] become."""
        if self.options.granularity == "scalar":
            share = torch.sigmoid(meta["label_smoothing"])
            return (1.0 - share) * labels + share / self.task.classes
        return labels @ meta["label_smoothing"].softmax(-1)

    @torch.no_grad()
    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """What every label becomes, a row for each class."""
        if self.options.granularity == "scalar":
            return []
        rows = meta["label_smoothing"].softmax(-1).double().cpu()
        captions = [f"{float(row.max()):.0%}" for row in rows]
        drawing = images(rows[:, None].numpy(), columns=1, captions=captions)
        title = "What each class's label becomes: its shares of all classes"
        return [Picture(name="label_smoothing", title=title, drawing=drawing)]


class ExampleWeights(LossFunction):
    """θ holds `example_weights`, [training examples]; equal entries mean equal weights of 1."""

    FIRST = {"sigmoid": 0.0, "softplus": log(expm1(1.0)), "softmax": 0.0}

    @property
    def logarithmic(self) -> bool:
        """Of odds, or of shares up to a factor; what softplus takes is none."""
        return self.options.through != "softplus"

    def initial(self, params: Params, seed: int) -> Meta:
        some, count = next(iter(params.values())), len(self.task.train.labels)
        start = torch.full((count,), self.FIRST[self.options.through], dtype=torch.float64)
        return {"example_weights": start.to(some)}

    def losses(self, meta: Meta, log_shares: Tensor, labels: Tensor, batch: Split) -> Tensor:
        weights = self.weights(meta["example_weights"].index_select(0, batch.indices))
        return weights * cross_entropy(log_shares, labels)

    def weights(self, entries: Tensor) -> Tensor:
        """Of the examples of a batch, [N], from their entries of θ."""
        if self.options.through == "sigmoid":
            return 2.0 * torch.sigmoid(entries)
        if self.options.through == "softplus":
            return F.softplus(entries)
        return len(entries) * entries.softmax(0)

    @torch.no_grad()
    def test_figures(self, problem: Any, meta: Meta, seed: int) -> dict[str, float]:
        """Mean weight of examples with a wrong label and of the others, where there are such."""
        corrupted = self.task.corrupted
        if not corrupted.any():
            return {}
        weights = self.weights(meta["example_weights"])
        return {
            "weight_of_corrupted": weights[corrupted].mean().item(),
            "weight_of_clean": weights[~corrupted].mean().item(),
        }

    @torch.no_grad()
    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """Weights from the smallest to the largest, of right and of wrong labels."""
        weights, wrong = self.weights(meta["example_weights"]), self.task.corrupted
        parts = {"right label": weights[~wrong], "wrong label": weights[wrong]}
        lines = [
            line(label, torch.linspace(0.0, 1.0, len(part)), part.sort().values)
            for label, part in parts.items()
            if len(part)
        ]
        drawing = Curves(x_title="Share of the examples", y_title="Weight, sorted", lines=lines)
        title = "Weights of the training examples"
        return [Picture(name="example_weights", title=title, drawing=drawing)]


class LossNetwork(LossFunction):
    """θ holds `learned_loss.<layer>.<weight or bias>` of two linear layers with tanh between them.

    Its inputs are the probabilities and the label's shares of the classes, its output is a number φ
    for each example. The second layer has no bias, of which an added φ would have no gradient; it
    starts at zero, and with it φ.
    """

    def initial(self, params: Params, seed: int) -> Meta:
        some = next(iter(params.values()))
        width, inputs = self.options.hidden, 2 * self.task.classes
        generator = torch.Generator().manual_seed(seed)
        weight = torch.randn(width, inputs, generator=generator, dtype=torch.float64)
        bias = torch.randn(width, generator=generator, dtype=torch.float64)
        start = {
            "hidden.weight": weight,
            "hidden.bias": bias,
            "output.weight": torch.zeros(1, width),
        }
        return {f"learned_loss.{name}": values.to(some) for name, values in start.items()}

    def losses(self, meta: Meta, log_shares: Tensor, labels: Tensor, batch: Split) -> Tensor:
        weights = self.own(meta)
        inputs = torch.cat([log_shares.exp(), labels], dim=-1)
        hidden = torch.tanh(F.linear(inputs, weights["hidden.weight"], weights["hidden.bias"]))
        given = F.linear(hidden, weights["output.weight"])[:, 0]
        usual = cross_entropy(log_shares, labels)
        return usual + given if self.options.form == "added" else usual * given.exp()

    @torch.no_grad()
    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """The loss against the probability of the label's class, where the others share the rest
        evenly; the mean over the classes, and the cross-entropy beside it."""
        some, classes = next(iter(meta.values())), self.task.classes
        share = torch.linspace(0.01, 0.99, 99, device=some.device, dtype=some.dtype)
        labels = torch.eye(classes, device=some.device, dtype=some.dtype)
        others = ((1.0 - share) / (classes - 1))[:, None, None] * (1.0 - labels)
        log_shares = (share[:, None, None] * labels + others).log().flatten(0, 1)
        every = labels.expand(len(share), -1, -1).flatten(0, 1)
        learned = self.losses(meta, log_shares, every, Split(log_shares, every))
        lines = [
            line("learned", share, learned.reshape(-1, classes).mean(1)),
            line("cross-entropy", share, -share.log(), dashed=True),
        ]
        drawing = Curves(x_title="Probability of the label's class", y_title="Loss", lines=lines)
        return [Picture(name="learned_loss", title="The learned loss", drawing=drawing)]
