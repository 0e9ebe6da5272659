"""What the few-shot learners share whose network is not moved by the inner loop."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.dynamical_system import DynamicalSystem
from engine.inner_tasks.backbones import drawn_params
from engine.inner_tasks.episode_task import EpisodeTask
from engine.inner_tasks.inner_task import Params
from engine.problem import Meta, State
from engine.spec.inner_tasks.few_shot_network import NetworkTask as Options


class FromFeatures(DynamicalSystem):
    """s_0(θ) holds the features of an episode's images, which the steps and the meta-loss read."""

    def initial_state(self, meta: Meta, seed: int) -> State:
        state = super().initial_state(meta, seed)
        params = self.completed(meta, state["params"])
        features = self.task.episode_features(params, state["seed"])
        return {**state, "params": state["params"] | features}


class NetworkTask(EpisodeTask):
    """`transition` is what a subclass adds, and `query_logits`."""

    problem = FromFeatures

    def __init__(self, options: Options, **where: Any) -> None:
        super().__init__(options, **where)
        self.network_shapes = options.network_shapes()

    def initial_params(self, seed: int) -> Params:
        """An empty memory."""
        return {
            name: torch.zeros(shape, device=self.device, dtype=self.dtype)
            for name, shape in self.shapes.items()
        }

    def network_params(self, seed: int) -> Params:
        """The network's weights before the first outer step."""
        return drawn_params(self.network_shapes, seed, self.device, self.dtype)

    def episode_features(self, params: Params, seed: Tensor) -> Params:
        """Of the support and of the queries, seen together: the norms of the backbone take their
        mean and variance over both, so that the two are compared on one scale."""
        support, query = self.episodes.support(seed).inputs, self.episodes.query(seed).inputs
        features = self.features(params, torch.cat([support, query]))
        return {"support": features[: len(support)], "queries": features[len(support) :]}

    def one_hot(self) -> Tensor:
        """[ways · shots, ways]: the labels of a support, which stands class after class."""
        ways = torch.eye(self.options.ways, device=self.device, dtype=self.dtype)
        return ways.repeat_interleave(self.options.shots, 0)
