"""Several inner loops of one θ, of different seeds, as a single inner loop.

    s_t = (s_t¹ … s_tⁿ), every leaf stacked;     F(θ) = 1/n Σ_i F_i(θ)

A small step costs its calls and not its arithmetic, so n loops take little longer than one. It is
a `Problem` again: every estimator works with it, and one that averages (its options say so) gives
the mean of its estimates, to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine.compiled import Compiled
from engine.gradient_step import GradientStep
from engine.problem import Meta, Params, Problem, State, inner_loss_of
from engine.program import StepProgram


def together(problem: Problem, count: int, *, stride: int) -> Problem:
    """`count` inner loops of `problem`, of the seeds seed, seed + stride, …; compiled as they are.

    The step must not branch on values, or on the step number, in Python.
    """
    if isinstance(problem, Compiled):
        return Compiled(together(problem.problem, count, stride=stride))
    kind = TogetherByGradient if isinstance(problem, GradientStep) else Together
    return kind(problem, count, stride=stride)


class Together:
    """Built by `together`."""

    traced = True

    def __init__(self, problem: Problem, count: int, *, stride: int) -> None:
        self.problem = problem
        self.horizon, self.objective = problem.horizon, problem.objective
        self._offsets = range(0, count * stride, stride)
        meta = problem.initial_meta(0)
        state = self.initial_state(meta, 0)
        self._step = StepProgram(_over_loops(problem.step), state, meta)
        self._losses = StepProgram(_over_loops(problem.meta_loss), state, meta)
        if hasattr(problem, "inner_loss"):
            self.inner_loss = self._inner_loss
        if hasattr(problem, "exact"):
            self.exact = self._exact

    def initial_meta(self, seed: int) -> Meta:
        return self.problem.initial_meta(seed)

    def initial_state(self, meta: Meta, seed: int) -> State:
        states = [self.problem.initial_state(meta, seed + offset) for offset in self._offsets]
        return pytree.tree_map(lambda *leaves: torch.stack(leaves), *states)

    def step(self, state: State, meta: Meta, t: int) -> State:
        return self._step(state, meta, t)

    def meta_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        return self._losses(state, meta, t).mean()

    def _inner_loss(self, params: Params, meta: Meta, seed: int = 0) -> Tensor:
        """The sum: its Hessian has one block for each loop."""
        device = next(iter(params.values())).device
        seeds = torch.tensor([seed + offset for offset in self._offsets], device=device)

        def of_one(params: Params, seed: Tensor) -> Tensor:
            return inner_loss_of(self.problem, seed)(params, meta)

        return torch.func.vmap(of_one)(params, seeds).sum()

    def _exact(self, meta: Meta, seed: int) -> tuple[float, Meta]:
        found = [self.problem.exact(meta, seed + offset) for offset in self._offsets]
        gradient = {name: torch.stack([g[name] for _, g in found]).mean(0) for name in meta}
        return sum(loss for loss, _ in found) / len(found), gradient


class TogetherByGradient(Together, GradientStep):
    """Where every step follows the gradient of an inner loss, that of the sum gives all of them."""

    def training_loss(self, state: State, meta: Meta, t: int) -> Tensor:
        return _over_loops(self.problem.training_loss)(state, meta, t).sum()

    def updated(self, state: State, gradients: Params, meta: Meta, t: int) -> State:
        over_loops = torch.func.vmap(self.problem.updated, (0, 0, None, None))
        return over_loops(state, gradients, meta, t)


def _over_loops(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function(state, meta, t)` for every loop of a stacked state."""
    return torch.func.vmap(function, (0, None, None))
