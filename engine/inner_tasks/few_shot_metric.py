"""Non-parametric few-shot learners: a step makes of the support what queries are compared with."""

from __future__ import annotations

from math import log
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.inner_tasks.inner_task import Params
from engine.inner_tasks.network_task import NetworkTask
from engine.inner_tasks.support_vectors import support_vector_weights
from engine.problem import Hyper
from engine.spec.inner_tasks.few_shot_network import FewShotMetric

SCALE = 10.0
"""At the start, of scores that lie between 0 and 1, before their softmax: these, as they are,
differ too little."""
RIDGE_PENALTY = 1.0
EPSILON = 1e-12
"""Added to a squared length."""


class FewShotMetricTask(NetworkTask):
    """The state after the step has `prototypes`, `directions` or `weights`, by the head."""

    def __init__(self, options: FewShotMetric, **where: Any) -> None:
        super().__init__(options, **where)
        self._fitted = {
            "prototypical": self._class_means,
            "relation": self._class_means,
            "matching": self._directions,
            "ridge": self._ridge,
            "svm": self._support_vectors,
        }[options.head]
        self._scores = {
            "prototypical": _nearness,
            "relation": self._relations,
            "matching": self._attention,
            "ridge": _linear,
            "svm": _linear,
        }[options.head]

    def held_out(self) -> Self:
        """With the classes of an episode for testing: no weight depends on how many these are."""
        ways = self.options.test_ways
        if ways is None:
            return super().held_out()
        options = self.options.model_copy(update={"ways": ways, "test_ways": None})
        return type(self)(options, device=self.device, dtype=self.dtype).held_out()

    def network_params(self, seed: int) -> Params:
        starts = {"head.log_penalty": log(RIDGE_PENALTY), "head.scale": SCALE}
        drawn = super().network_params(seed)
        return {
            name: torch.full_like(leaf, starts[name]) if name in starts else leaf
            for name, leaf in drawn.items()
        }

    def transition(self, params: Params, hyper: Hyper, seed: Tensor, t: int | Tensor) -> Params:
        kept = {name: params[name] for name in ("support", "queries")}
        return kept | self._fitted(params)

    def query_logits(self, params: Params, seed: Tensor) -> Tensor:
        return self._scores(params)

    def _by_class(self, rows: Tensor) -> Tensor:
        return rows.unflatten(-2, (self.options.ways, self.options.shots))

    def _class_means(self, params: Params) -> Params:
        """Snell, Swersky and Zemel (2017), equation 1."""
        return {"prototypes": self._by_class(params["support"]).mean(-2)}

    def _directions(self, params: Params) -> Params:
        return {"directions": _of_length_one(params["support"])}

    def _attention(self, params: Params) -> Tensor:
        """log Σ a over each class's images, where a is the softmax of the scaled cosines: Vinyals
        et al. (2016), equation 1, up to the softmax's own sum, which the loss takes off."""
        cosines = _of_length_one(params["queries"]) @ params["directions"].mT
        scores = (params["head.scale"] * cosines).unflatten(
            -1, (self.options.ways, self.options.shots)
        )
        return scores.logsumexp(-1)

    def _relations(self, params: Params) -> Tensor:
        """A small network on a prototype beside a query: Sung et al. (2018), section 3.2, on
        vectors of features in the place of their maps, and judged by cross-entropy."""
        queries, prototypes = params["queries"], params["prototypes"]
        pairs = torch.cat(
            [
                prototypes.unsqueeze(-3).expand(len(queries), -1, -1),
                queries.unsqueeze(-2).expand(-1, len(prototypes), -1),
            ],
            -1,
        )
        hidden = F.linear(pairs, params["relation.hidden.weight"], params["relation.hidden.bias"])
        hidden = self.backbone.activation(hidden)
        return F.linear(hidden, params["relation.output.weight"]).squeeze(-1)

    def _ridge(self, params: Params) -> Params:
        """W = Yᵀ (X Xᵀ + λ I)⁻¹ X, the ridge regression of the labels by Woodbury's identity:
        Bertinetto et al. (2019), equation 6, with a system as large as the support."""
        support = params["support"]
        ones = torch.eye(len(support), device=self.device, dtype=self.dtype)
        system = support @ support.mT + params["head.log_penalty"].exp() * ones
        return {"weights": torch.linalg.solve(system, self.one_hot()).mT @ support}

    def _support_vectors(self, params: Params) -> Params:
        """Crammer and Singer's multi-class SVM: Lee et al. (2019), equation 6."""
        return {
            "weights": support_vector_weights(
                params["support"], self.one_hot(), slack=self.options.slack
            )
        }


def _nearness(params: Params) -> Tensor:
    """Minus the squared Euclidean distance of every query to every prototype."""
    apart = params["queries"].unsqueeze(-2) - params["prototypes"].unsqueeze(-3)
    return -(apart**2).sum(-1)


def _linear(params: Params) -> Tensor:
    """With a learned scale; a bias, which all classes would share, is nothing to a softmax."""
    return params["head.scale"] * (params["queries"] @ params["weights"].mT)


def _of_length_one(rows: Tensor) -> Tensor:
    return rows * torch.rsqrt((rows**2).sum(-1, keepdim=True) + EPSILON)
