"""Gradient descent with momentum (Polyak, 1964): v ← μ v + ∇L(w), w ← w − α v."""

import torch

from engine.problem import Hyper, Params
from engine.trees import Tree


class Momentum:
    """Remembers the velocity v of every parameter."""

    def initial_memory(self, params: Params) -> Tree:
        return {"velocity": {name: torch.zeros_like(w) for name, w in params.items()}}

    def update(
        self, params: Params, gradients: Params, state: Tree, hyper: Hyper
    ) -> tuple[Params, Tree]:
        rate, momentum = hyper["learning_rate"], hyper["momentum"]
        velocity = {
            name: momentum[name] * v + gradients[name] for name, v in state["velocity"].items()
        }
        params = {name: w - rate[name] * velocity[name] for name, w in params.items()}
        return params, {"velocity": velocity}
