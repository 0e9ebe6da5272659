"""The first inner steps with each transform that an estimator may need, at the problem's own sizes.

Every trial raises what torch raises, and returns warnings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from engine import trees
from engine.obstacle import Obstacle
from engine.preflight.contract import FirstStep, judged_at
from engine.preflight.inner_gradients import InnerGradients
from engine.preflight.torch_words import CUT_LOSS, Fault, Unfit
from engine.problem import Meta, Problem, State, inner_loss_of
from engine.spec.estimator import Need
from engine.tangents import push
from engine.trees import Leaves

Trial = Callable[[Problem, Meta, int, FirstStep], list[Obstacle]]


def start(problem: Problem, meta: Meta, seed: int, first: FirstStep) -> list[Obstacle]:
    """λ_0ᵀ ∂s_0/∂θ."""
    theta = trees.tracked_meta(meta)
    with torch.enable_grad():
        leaves = trees.Split(problem.initial_state(theta, seed)).leaves
    trees.gradients(leaves, list(theta.values()), [torch.ones_like(leaf) for leaf in leaves])
    return []


def loss_gradient(problem: Problem, meta: Meta, seed: int, first: FirstStep) -> list[Obstacle]:
    """∂ℓ_1/∂w_1."""
    split = trees.Split(first.after["params"])
    w = trees.tracked(split.leaves)
    with torch.enable_grad():
        state = {**first.after, "params": split.joined(w)}
        loss = problem.meta_loss(state, meta, judged_at(problem))
    _require_gradient(loss)
    trees.gradients([loss], w, [torch.ones_like(loss)])
    return []


def adjoint(problem: Problem, meta: Meta, seed: int, first: FirstStep) -> list[Obstacle]:
    """(λ_1 + ∂ℓ_1/∂s_1)ᵀ ∂s_1/∂(s_0, θ), and on through s_0(θ)."""
    theta = trees.tracked_meta(meta)
    with torch.enable_grad(), InnerGradients() as inner:
        split = trees.Split(problem.initial_state(theta, seed))
        # A leaf that does not come from θ is one that the adjoint passes at a later step.
        leaves = [
            leaf if leaf.requires_grad else leaf.detach().requires_grad_() for leaf in split.leaves
        ]
        state = problem.step(split.joined(leaves), theta, 0)
        loss = problem.meta_loss(state, theta, judged_at(problem))
    if inner.marked:
        raise Unfit(
            Fault(
                f"{inner.marked} is marked once_differentiable, so that torch takes its derivative "
                "as zero without a word",
                inner.marked,
                "write it in operations that torch can differentiate again, without the mark",
            )
        )
    _require_gradient(loss)
    outputs = [leaf for leaf in [*trees.Split(state).leaves, loss] if leaf.requires_grad]
    by_inputs = torch.autograd.grad(
        outputs,
        [*theta.values(), *leaves],
        [torch.ones_like(leaf) for leaf in outputs],
        allow_unused=True,
    )
    unused = [name for name, by in zip(theta, by_inputs, strict=False) if by is None]
    return [*_without_graph(inner.without_graph), *map(_unused, unused)]


def inner_gradient(problem: Problem, meta: Meta, seed: int, first: FirstStep) -> list[Obstacle]:
    """∂L/∂w and ∂L/∂θ at w_1."""
    inner_loss, w, theta = _inner_loss(problem, meta, first)
    trees.gradients([inner_loss], [*w, *theta], [torch.ones_like(inner_loss)])
    return []


def curvature(problem: Problem, meta: Meta, seed: int, first: FirstStep) -> list[Obstacle]:
    """∂²L/∂w² v and vᵀ ∂²L/∂w∂θ at w_1."""
    inner_loss, w, theta = _inner_loss(problem, meta, first)
    with torch.enable_grad():
        slopes = torch.autograd.grad(inner_loss, w, create_graph=True, materialize_grads=True)
    trees.gradients(slopes, [*w, *theta], [torch.ones_like(leaf) for leaf in w])
    return []


@torch.no_grad()
def tangents(problem: Problem, meta: Meta, seed: int, first: FirstStep) -> list[Obstacle]:
    """Derivatives of the first states and of the loss along two directions of θ together."""
    directions = [torch.stack([torch.ones_like(leaf)] * 2) for leaf in meta.values()]
    before: State = {}
    state: Any = {}
    along: Leaves = []
    for function in _functions(problem, seed):
        before = state
        state, along = push(
            lambda s, meta, t, f=function: f(s, meta), state, meta, 0, along, directions
        )
    _require_slope(problem, before, meta)
    return []


@torch.no_grad()
def particles(problem: Problem, meta: Meta, seed: int, first: FirstStep) -> list[Obstacle]:
    """The first states and the loss at two θ together."""

    def loss(meta: Meta) -> Tensor:
        value: Any = {}
        for function in _functions(problem, seed):
            value = function(value, meta)
        return value

    torch.func.vmap(loss, randomness="same")(
        {name: torch.stack([leaf, leaf]) for name, leaf in meta.items()}
    )
    return []


TRIALS: dict[Need, Trial] = {
    "start": start,
    "loss_gradient": loss_gradient,
    "adjoint": adjoint,
    "inner_gradient": inner_gradient,
    "curvature": curvature,
    "tangents": tangents,
    "particles": particles,
}


def _inner_loss(problem: Problem, meta: Meta, first: FirstStep) -> tuple[Tensor, Leaves, Leaves]:
    """L at w_1 with its graph, w_1 and θ."""
    split = trees.Split(first.after["params"])
    w, theta = trees.tracked(split.leaves), trees.tracked_meta(meta)
    with torch.enable_grad():
        inner_loss = inner_loss_of(problem, 0)(split.joined(w), theta)
    _require_gradient(inner_loss)
    return inner_loss, w, list(theta.values())


def _require_gradient(loss: Tensor) -> None:
    if not loss.requires_grad:
        raise Unfit(Fault(CUT_LOSS))


def _require_slope(problem: Problem, state: State, meta: Meta) -> None:
    """As `_require_gradient`, for a loss whose derivatives are taken forward."""
    split = trees.Split(state)
    count = len(split.leaves)

    def loss(*inputs: Tensor) -> Tensor:
        theta = dict(zip(meta, inputs[count:], strict=True))
        return problem.meta_loss(split.joined(inputs[:count]), theta, problem.horizon)

    inputs = (*split.leaves, *meta.values())
    torch.func.jvp(loss, inputs, tuple(map(torch.ones_like, inputs)), strict=True)


def _without_graph(call: str) -> list[Obstacle]:
    if not call:
        return []
    return [
        Obstacle(
            level="warning",
            need="second derivatives through an inner step",
            reason=f"the step calls {call} without create_graph, so that the meta-gradient is "
            "of first order there",
            operation=call,
            cure="pass create_graph=True, or use torch.func.grad",
        )
    ]


def _unused(name: str) -> Obstacle:
    return Obstacle(
        level="warning",
        need="a meta-loss that depends on θ",
        reason=f"{name} plays no part in the initial state, the first inner step and the loss "
        "after it: if it never does, its meta-gradient is zero",
        cure="use it without detach(), .data or no_grad",
    )


def _functions(problem: Problem, seed: int) -> list[Callable[[State, Meta], Any]]:
    """What turns nothing into s_0, s_1, s_2 and a loss: the second step is the first that meets a
    state which depends on θ."""
    steps = min(2, problem.horizon)
    judged = steps if problem.objective == "average" else problem.horizon
    return [
        lambda _, meta: problem.initial_state(meta, seed),
        *(lambda state, meta, t=t: problem.step(state, meta, t) for t in range(steps)),
        lambda state, meta: problem.meta_loss(state, meta, judged),
    ]
