"""Gradient descent: w ← w − α ∇L(w)."""

from engine.problem import Hyper, Params
from engine.trees import Tree


class SGD:
    """Remembers nothing."""

    def initial_memory(self, params: Params) -> Tree:
        return {}

    def update(
        self, params: Params, gradients: Params, state: Tree, hyper: Hyper
    ) -> tuple[Params, Tree]:
        rate = hyper["learning_rate"]
        return {name: w - rate[name] * gradients[name] for name, w in params.items()}, state
