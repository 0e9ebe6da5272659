"""Problems as users write them, each with one thing that some estimator cannot work with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.gradient_step import GradientStep


def _same(value: Any) -> Any:
    return value


class Fit:
    """w ← w − rate ∇L(w) for one tensor w of shape [4, 8], with θ the rate and a penalty."""

    horizon = 3
    objective = "final"

    def __init__(self, loss: Callable[[Tensor], Tensor] = torch.sum) -> None:
        self.loss = loss
        source = torch.Generator().manual_seed(0)
        self.start = torch.rand(4, 8, generator=source) + 0.1

    def initial_meta(self, seed: int) -> dict[str, Tensor]:
        return {"rate": torch.tensor(0.1), "decay": torch.tensor(0.01)}

    def initial_state(self, meta: dict, seed: int) -> dict[str, Any]:
        return {"params": {"w": self.start + 0.01 * seed}}

    def inner_loss(self, params: dict, meta: dict) -> Tensor:
        w = params["w"]
        return self.loss(w) + 0.5 * meta["decay"] * (w * w).sum()

    def step(self, state: dict, meta: dict, t: int) -> dict[str, Any]:
        params = state["params"]
        slope = torch.func.grad(self.inner_loss)(params, meta)
        return {"params": {"w": params["w"] - meta["rate"] * slope["w"]}}

    def meta_loss(self, state: dict, meta: dict, t: int) -> Tensor:
        return (state["params"]["w"] ** 2).mean()


class OnceSine(torch.autograd.Function):
    """sin, with a backward that may be differentiated forward only."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.sin()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, by_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return by_output * x.cos()

    @staticmethod
    def jvp(ctx: Any, along: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return along * x.cos()


class Sine(torch.autograd.Function):
    """sin, without a forward-mode derivative and without a rule for vmap."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.sin()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, by_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return by_output * x.cos()


def attention(w: Tensor) -> Tensor:
    heads = w.reshape(1, 1, 4, 8)
    return F.scaled_dot_product_attention(heads, heads, heads).square().sum()


def pairwise(w: Tensor) -> Tensor:
    """Distances of all pairs of rows, whose backward cannot be differentiated."""
    return F.pdist(w).square().sum()


def sampled(w: Tensor) -> Tensor:
    """Bilinear sampling: twice differentiable, but not forward."""
    grid = w.reshape(1, 4, 4, 2).tanh()
    return F.grid_sample(w.reshape(1, 1, 4, 8), grid, align_corners=False).square().sum()


def reads_a_value(w: Tensor) -> Tensor:
    return (w * w).sum() * float(w.detach().norm())


def branches(w: Tensor) -> Tensor:
    return (w * w).sum() if w.sum() > 0 else w.sum()


def selects(w: Tensor) -> Tensor:
    return w[w > 0.5].square().sum()


class ByParts(GradientStep, Fit):
    """The same step, in an inner gradient and an update."""

    def training_loss(self, state: dict, meta: dict, t: int) -> Tensor:
        return self.inner_loss(state["params"], meta)

    def updated(self, state: dict, gradients: dict, meta: dict, t: int) -> dict[str, Any]:
        return {"params": {"w": state["params"]["w"] - meta["rate"] * gradients["w"]}}


class WithAutograd(Fit):
    """The inner gradient by torch.autograd.grad, which has no graph under no_grad."""

    def step(self, state: dict, meta: dict, t: int) -> dict[str, Any]:
        w = state["params"]["w"]
        (slope,) = torch.autograd.grad(self.loss(w), w, create_graph=True)
        return {"params": {"w": w - meta["rate"] * slope}}


class Noisy(Fit):
    """Noise from the global generator."""

    def step(self, state: dict, meta: dict, t: int) -> dict[str, Any]:
        w = state["params"]["w"]
        return {"params": {"w": w - meta["rate"] * (w + torch.randn_like(w))}}


class InPlace(Fit):
    def step(self, state: dict, meta: dict, t: int) -> dict[str, Any]:
        state["params"]["w"].sub_(meta["rate"])
        return {"params": {"w": state["params"]["w"].clone()}}


class RunningStatistics(Fit):
    """Batch norm that updates the buffers of the state that it was given."""

    def initial_state(self, meta: dict, seed: int) -> dict[str, Any]:
        buffers = {"mean": torch.zeros(8), "variance": torch.ones(8)}
        return {**super().initial_state(meta, seed), "buffers": buffers}

    def step(self, state: dict, meta: dict, t: int) -> dict[str, Any]:
        w, buffers = state["params"]["w"], state["buffers"]
        normed = F.batch_norm(w, buffers["mean"], buffers["variance"], training=True)
        return {"params": {"w": w - meta["rate"] * normed}, "buffers": buffers}


class Detached(Fit):
    """A step that cuts the rate from the graph; the penalty plays its part."""

    def step(self, state: dict, meta: dict, t: int) -> dict[str, Any]:
        return super().step(state, {**meta, "rate": meta["rate"].detach()}, t)


class Accuracy(Fit):
    def meta_loss(self, state: dict, meta: dict, t: int) -> Tensor:
        return (state["params"]["w"].argmax(-1) == 0).float().mean()


class FirstOrderByAccident(Fit):
    """The inner gradient without the graph that second derivatives need."""

    def step(self, state: dict, meta: dict, t: int) -> dict[str, Any]:
        with torch.enable_grad():
            w = state["params"]["w"]
            w = w if w.requires_grad else w.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.inner_loss({"w": w}, meta), w)
        return {"params": {"w": w - meta["rate"] * slope}}


class RecurrentJudge(Fit):
    """A meta-loss with a recurrent layer, for which vmap has no rule."""

    def meta_loss(self, state: dict, meta: dict, t: int) -> Tensor:
        weights = [torch.ones(8, 8), torch.ones(8, 2), torch.ones(8), torch.ones(8)]
        first = torch.zeros(1, 1, 2), torch.zeros(1, 1, 2)
        sequence = state["params"]["w"].unsqueeze(1)
        out, _, _ = torch.lstm(sequence, first, weights, True, 1, 0.0, False, False, False)
        return out.square().mean()


class Changed(Fit):
    """Gives what `state` and `loss` make of the next state and of the meta-loss."""

    def __init__(self, *, state: Callable = _same, loss: Callable = _same) -> None:
        super().__init__()
        self.change_state, self.change_loss = state, loss

    def step(self, state: dict, meta: dict, t: int) -> dict[str, Any]:
        return self.change_state(super().step(state, meta, t))

    def meta_loss(self, state: dict, meta: dict, t: int) -> Tensor:
        return self.change_loss(super().meta_loss(state, meta, t))
