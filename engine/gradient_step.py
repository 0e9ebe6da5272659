"""An inner step in two parts: the gradient of an inner loss, and an update that follows it.

    g_t = ∂L_t/∂w (s_t, θ);   s_{t+1} = U_t(s_t, g_t, θ)

Apart, each can be passed in its own way on the way back: U_t is elementwise, and what g_t needs
are products with second derivatives, which one forward-mode derivative gives, or nothing gives
(first order).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.utils import _pytree as pytree

from engine.trees import Meta, Params, State


class GradientStep:
    """The optional part of a `Problem` whose step follows the gradient of an inner loss.

    Inherit it and write `training_loss` and `updated`; the step is then made of them. A problem
    that has a faster `step` of its own may keep it, as long as it returns the same values.
    """

    def training_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        """L_t at w = `state["params"]`, a scalar; pure, like the step."""
        raise TypeError(f"{type(self).__name__} does not say what its inner loss is")

    def updated(self, state: State, gradients: Params, meta: Meta, t: int) -> State:
        """U_t: s_{t+1} from s_t and g_t; `gradients` is a tree like `state["params"]`."""
        raise TypeError(f"{type(self).__name__} does not say how a gradient is followed")

    def step(self, state: State, meta: Meta, t: int) -> State:
        """Φ_t: U_t after g_t."""
        return self.updated(state, self.inner_gradient(state, meta, t), meta, t)

    def inner_gradient(self, state: State, meta: Meta, t: int) -> Params:
        """g_t, a tree like `state["params"]`; it can be differentiated again."""

        def loss(params: Params) -> Tensor:
            return self.training_loss({**state, "params": params}, meta, t)

        return torch.func.grad(loss)(state["params"])

    def inner_products(
        self, state: State, meta: Meta, t: int, vector: Params
    ) -> list[Tensor | None]:
        """vᵀ ∂g_t/∂(s, θ) for the leaves of (state, meta), in order; None where it is zero
        because L_t does not read the leaf.

        Second derivatives commute, so this is the derivative of the joint gradient
        J(w) = (∂L_t/∂s, ∂L_t/∂θ) along v: one forward-mode pass over a backward pass, and no
        graph of a graph (Kemaev et al., 2025, MixFlow-MG). The other order, a backward pass over
        a forward-mode pass, is silently wrong in torch 2.13 where norms are fused: by 100 % for
        batch_norm in training mode.
        """
        with forward_ad.dual_level(), torch.enable_grad():
            leaves, structure = pytree.tree_flatten((state, meta))
            tracked = [
                leaf.detach().requires_grad_() if leaf.is_floating_point() else leaf
                for leaf in leaves
            ]
            state, meta = pytree.tree_unflatten(tracked, structure)
            params = pytree.tree_map(forward_ad.make_dual, state["params"], vector)
            state = {**state, "params": params}
            inputs = pytree.tree_leaves((state, meta))
            places = [i for i, leaf in enumerate(inputs) if leaf.is_floating_point()]
            slopes = torch.autograd.grad(
                self.training_loss(state, meta, t), [inputs[i] for i in places], allow_unused=True
            )
            products: list[Tensor | None] = [None] * len(inputs)
            for place, slope in zip(places, slopes, strict=True):
                if slope is not None:
                    products[place] = forward_ad.unpack_dual(slope).tangent
        return products
