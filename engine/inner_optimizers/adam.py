"""Adam (Kingma and Ba, 2015), differentiable everywhere.

The usual √v + ε has an infinite derivative at v = 0, which turns the meta-gradient of the first
step into NaN wherever a gradient entry is zero. Here the denominator is √(v + ε²): equal at v = 0,
within ε everywhere, and smooth.
"""

import torch

from engine.problem import Hyper, Params
from engine.trees import Tree


class Adam:
    """Remembers the mean and the mean square of every gradient entry, and the two bias corrections.

    The corrections β^t are carried as products, so that the rule needs no step number.
    """

    def initial_memory(self, params: Params) -> Tree:
        some = next(iter(params.values()))
        return {
            "mean": {name: torch.zeros_like(w) for name, w in params.items()},
            "square": {name: torch.zeros_like(w) for name, w in params.items()},
            "beta1_power": some.new_ones(()),
            "beta2_power": some.new_ones(()),
        }

    def update(
        self, params: Params, gradients: Params, state: Tree, hyper: Hyper
    ) -> tuple[Params, Tree]:
        rate, beta1, beta2 = hyper["learning_rate"], hyper["beta1"], hyper["beta2"]
        epsilon = hyper["epsilon"]
        any_name = next(iter(params))
        power1 = state["beta1_power"] * beta1[any_name]
        power2 = state["beta2_power"] * beta2[any_name]
        mean = {
            name: beta1[name] * m + (1.0 - beta1[name]) * gradients[name]
            for name, m in state["mean"].items()
        }
        square = {
            name: beta2[name] * v + (1.0 - beta2[name]) * gradients[name] ** 2
            for name, v in state["square"].items()
        }
        params = {
            name: w
            - rate[name]
            * (mean[name] / (1.0 - power1))
            / torch.sqrt(square[name] / (1.0 - power2) + epsilon[name] ** 2)
            for name, w in params.items()
        }
        memory = {"mean": mean, "square": square, "beta1_power": power1, "beta2_power": power2}
        return params, memory
