"""A problem whose trees name their parts in several orders."""

import torch

from engine.gradient_step import GradientStep
from engine.trees import Meta, Params, State


class Shuffled(GradientStep):
    """Gradient descent on Σ (w² − v)² with a velocity; a step names the parts of s_{t+1}, its
    parameters and its gradients in another order than s_0 does, all of one shape."""

    traced = True
    objective = "final"
    horizon = 12

    def initial_meta(self, seed: int) -> Meta:
        return {
            "rate": torch.tensor([0.02, 0.03], dtype=torch.float64),
            "brake": torch.tensor([0.7, 0.4], dtype=torch.float64),
        }

    def initial_state(self, meta: Meta, seed: int) -> State:
        w, v, speed = torch.tensor([[0.5, 1.0], [0.2, 0.3], [0.1, 0.9]], dtype=torch.float64)
        return {"params": {"w": w, "v": v}, "speed": speed}

    def training_loss(self, state: State, meta: Meta, t: int) -> torch.Tensor:
        w, v = state["params"]["w"], state["params"]["v"]
        return (w**2 - v).square().sum()

    def inner_gradient(self, state: State, meta: Meta, t: int) -> Params:
        found = super().inner_gradient(state, meta, t)
        return {"v": found["v"], "w": found["w"]}

    def updated(self, state: State, gradients: Params, meta: Meta, t: int) -> State:
        speed = meta["brake"] * state["speed"] + gradients["w"]
        w, v = state["params"]["w"], state["params"]["v"]
        params = {"v": v - meta["rate"] * gradients["v"], "w": w - meta["rate"] * speed}
        return {"speed": speed, "params": params}

    def meta_loss(self, state: State, meta: Meta, t: int) -> torch.Tensor:
        return (state["params"]["w"] - 2.0 * state["speed"]).square().sum()
