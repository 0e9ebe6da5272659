"""An inner loop with the same values and another way back through its inner gradients.

    s_{t+1} = U_t(s_t, g_t, θ) with g_t = ∂L_t/∂w

The adjoint passes U_t by reverse differentiation as ever, and gives c = λ_{t+1}ᵀ ∂U_t/∂g. What is
then left of a step is cᵀ ∂g_t/∂(s, θ), the part with second derivatives:

    mixed mode   one forward-mode product of the joint gradient (Kemaev et al., 2025, MixFlow-MG)
    first order  zero (Finn, Abbeel and Levine, 2017; Luketina et al., 2016)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils import _pytree as pytree

from engine import trees
from engine.estimators.offloading import on_host
from engine.problem import Meta, Params, Problem, State


def has_inner_gradient(problem: Problem) -> bool:
    """Whether the step of `problem` comes apart into an inner gradient and an update."""
    return hasattr(problem, "inner_products") and hasattr(problem, "updated")


class SameValues:
    """`problem`, for a subclass to give it another `step`."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.horizon = problem.horizon
        self.objective = problem.objective

    def initial_meta(self, seed: int) -> Meta:
        return self.problem.initial_meta(seed)

    def initial_state(self, meta: Meta, seed: int) -> State:
        return self.problem.initial_state(meta, seed)

    def meta_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        return self.problem.meta_loss(state, meta, t)


class MixedMode(SameValues):
    """Keeps no graph of an inner gradient, and passes it by a forward-mode product.

    With `save_gradients`, a step taken without a graph leaves its inner gradient behind for the
    step's replay, which is then elementwise; with `offload`, it waits for it on the CPU.
    """

    def __init__(
        self, problem: Problem, *, save_gradients: bool = False, offload: bool = False
    ) -> None:
        super().__init__(problem)
        self._save_gradients = save_gradients
        self._keep = on_host if offload else (lambda gradients: gradients)
        self._saved: dict[int, Params] = {}

    def step(self, state: State, meta: Meta, t: int) -> State:
        problem = self.problem
        if torch.is_grad_enabled():
            gradients = _passed(problem, state, meta, t, self._saved.pop(t, None))
        elif self._save_gradients:
            gradients = problem.inner_gradient(state, meta, t)
            self._saved[t] = self._keep(gradients)
        else:
            return problem.step(state, meta, t)
        return problem.updated(state, gradients, meta, t)


class FirstOrder(SameValues):
    """Cuts the graph at every inner gradient: λ flows through the update rule alone.

    Where the step does not come apart, λ passes the parameters unchanged, dw_{t+1}/dw_t = I, and
    nothing else. A meta-loss that is itself made of inner gradients (`judges_gradients`) is
    differentiated at a state that stands still: its way through w has second derivatives.
    """

    def meta_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        if getattr(self.problem, "judges_gradients", False):
            state = trees.detached(state)
        return super().meta_loss(state, meta, t)

    def step(self, state: State, meta: Meta, t: int) -> State:
        problem = self.problem
        if has_inner_gradient(problem):
            with torch.no_grad():
                gradients = problem.inner_gradient(state, meta, t)
            return problem.updated(state, gradients, meta, t)
        with torch.no_grad():
            following = problem.step(state, meta, t)
        params = pytree.tree_map(
            lambda w, before: w + (before - before.detach()), following["params"], state["params"]
        )
        return {**following, "params": params}


def _passed(problem: Problem, state: State, meta: Meta, t: int, known: Params | None) -> Params:
    """g_t, or what is `known` of it, with a product for its way back."""
    leaves, structure = pytree.tree_flatten((state, meta))
    gradients = _InnerGradient.apply(problem, structure, t, known, *leaves)
    return pytree.tree_unflatten(gradients, pytree.tree_structure(state["params"]))


class _InnerGradient(torch.autograd.Function):
    """(s_t, θ) → g_t, saving its arguments alone."""

    @staticmethod
    def forward(
        ctx: Any,
        problem: Problem,
        structure: pytree.TreeSpec,
        t: int,
        known: Params | None,
        *leaves: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.problem, ctx.structure, ctx.t = problem, structure, t
        ctx.save_for_backward(*leaves)
        state, meta = pytree.tree_unflatten(leaves, structure)
        if known is None:
            known = problem.inner_gradient(state, meta, t)
        else:
            known = trees.on_device(known, leaves[0].device)
        known = trees.ordered(known, state["params"])
        return tuple(leaf.detach() for leaf in pytree.tree_leaves(known))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *by_gradients: Tensor) -> tuple[Tensor | None, ...]:
        state, meta = pytree.tree_unflatten(ctx.saved_tensors, ctx.structure)
        vector = pytree.tree_unflatten(by_gradients, pytree.tree_structure(state["params"]))
        products = ctx.problem.inner_products(state, meta, ctx.t, vector)
        return None, None, None, None, *products


def check_mixed_mode(problem: Problem) -> None:
    """Raise `ValueError` where `problem` cannot take its products in mixed mode.

    Its parts must make up its step, and its inner loss must have forward-mode derivatives.
    """
    if not has_inner_gradient(problem):
        raise ValueError(
            "products: forward_over_reverse needs a step that comes apart into an inner gradient "
            "and an update: inherit engine.gradient_step.GradientStep; "
            "allowed here: reverse_over_reverse"
        )
    meta = problem.initial_meta(0)
    with torch.no_grad():
        state = problem.initial_state(meta, 0)
        gradients = problem.inner_gradient(state, meta, 0)
        following = problem.step(state, meta, 0)
        updated = trees.ordered(problem.updated(state, gradients, meta, 0), following)
    whole, parts = (trees.Split(each).leaves for each in (following, updated))
    difference, size = trees.norm(torch._foreach_sub(whole, parts)), trees.norm(whole)
    if difference > 1e-3 * size:
        raise ValueError(
            "products: forward_over_reverse: step(state, meta, 0) is not "
            "updated(state, inner_gradient(state, meta, 0), meta, 0); "
            "allowed here: reverse_over_reverse"
        )
    try:
        problem.inner_products(state, meta, 0, gradients)
    except (NotImplementedError, RuntimeError) as error:
        if "forward" not in str(error) and "jvp" not in str(error):
            raise
        raise ValueError(
            "products: forward_over_reverse needs forward-mode derivatives of the inner loss: "
            f"{str(error).splitlines()[0]}; allowed here: reverse_over_reverse"
        ) from error
