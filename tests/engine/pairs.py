"""What an estimate is held against: central differences and the definitions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine import trees
from engine.population import generator
from engine.problem import Learner, Meta, Problem, State
from tests.engine.slopes import along, followed

STEPS = (1e-5, 1e-7)
"""Of central differences: the second is for functions that bend sharply, as a learned optimizer
with logarithms of tiny gradients among its features does."""


def assert_slopes(function: Callable[[Meta], float], meta: Meta, gradient: Meta) -> None:
    """That `gradient` is that of `function` at θ: along itself and along a random direction."""
    flat = trees.flat(gradient)
    size = flat.norm()
    assert size > 1e-6, "the meta-parameter changes nothing"
    generator = torch.Generator().manual_seed(0)
    random = torch.randn(len(flat), generator=generator, dtype=torch.float64)
    for direction in (flat, random):
        unit = direction / direction.norm()
        assert any(_slope_is(function, meta, unit, flat @ unit, step, size) for step in STEPS)


def _slope_is(
    function: Callable[[Meta], float],
    meta: Meta,
    unit: Tensor,
    slope: Tensor,
    step: float,
    size: Tensor,
) -> bool:
    ahead, behind = function(along(meta, unit, step)), function(along(meta, unit, -step))
    rounding = 1e-15 * abs(ahead) / step
    # Where rounding hides more than a thousandth of the slope, the step tells nothing.
    if rounding > 1e-3 * size:
        return False
    return bool(abs((ahead - behind) / (2 * step) - slope) < 1e-5 * size + rounding)


def first_order(problem: Learner, meta: Meta) -> Meta:
    """First-order MAML as it is defined: the gradient through the updates alone, with every inner
    gradient held still."""

    def step(state: State, meta: Meta, t: int) -> State:
        still = pytree.tree_map(torch.Tensor.detach, (state, meta))
        gradients = pytree.tree_map(torch.Tensor.detach, problem.inner_gradient(*still, t))
        return problem.updated(state, gradients, meta, t)

    theta = trees.tracked_meta(meta)
    with torch.enable_grad():
        _, loss = followed(problem, theta, step)
    found = torch.autograd.grad(loss, list(theta.values()), materialize_grads=True)
    return dict(zip(theta, found, strict=True))


@torch.no_grad()
def after_one_newton_step(problem: Learner, meta: Meta) -> Callable[[Meta], float]:
    """The meta-loss where one step of Newton's method takes w_T when the inner loss changes from
    that of θ = `meta`: F at w_T − H⁻¹ (∇L(w_T, θ′) − ∇L(w_T, θ)), as a function of θ′.

    Its gradient at θ is the implicit one, whether or not w_T is stationary.
    """
    params = followed(problem, meta, problem.step)[0]["params"]
    state = problem.initial_state(meta, 0)
    split = trees.Split(params)
    sizes = [leaf.numel() for leaf in split.leaves]

    def params_of(w: Tensor) -> State:
        parts = zip(w.split(sizes), split.leaves, strict=True)
        return split.joined([part.reshape(leaf.shape) for part, leaf in parts])

    def slope(w: Tensor, theta: Meta) -> Tensor:
        return torch.func.grad(lambda w: problem.inner_loss(params_of(w), theta, 0))(w)

    w = torch.cat([leaf.reshape(-1) for leaf in split.leaves])
    hessian = torch.func.jacrev(slope)(w, meta)
    at_theta = slope(w, meta)

    def function(theta: Meta) -> float:
        moved = w - torch.linalg.solve(hessian, slope(w, theta) - at_theta)
        end = {**state, "params": params_of(moved)}
        return float(problem.meta_loss(end, theta, problem.horizon))

    return function


def self_tuned(problem: Problem, meta: Meta) -> Meta:
    """A self-tuning network's estimate as σ goes to 0: its response learns the tangent of each
    step along the signs of that step, draw 0 of seed 0, at a share of 1."""
    split = trees.Split(problem.initial_state(meta, 0)["params"])
    count = len(trees.flat(meta))
    source, response = generator(0, 0), [w.new_zeros(count, *w.shape) for w in split.leaves]

    def step(state: State, meta: Meta, t: int) -> State:
        signs = 2.0 * torch.randint(2, (count,), generator=source) - 1.0
        parts = signs.split([leaf.numel() for leaf in meta.values()])
        along_theta = {
            name: part.reshape(leaf.shape).to(leaf)
            for (name, leaf), part in zip(meta.items(), parts, strict=True)
        }
        said = [torch.tensordot(signs.to(r), r, dims=1) for r in response]

        def params(params: State, theta: Meta) -> State:
            return problem.step({**state, "params": params}, theta, t)["params"]

        before = state["params"], meta
        tangent = torch.func.jvp(params, before, (split.joined(said), along_theta))[1]
        shown = [tangent[name] for name in state["params"]]
        for r, s, u in zip(response, shown, said, strict=True):
            r += torch.tensordot(signs.to(r), s - u, dims=0) / count
        return problem.step(state, meta, t)

    state = followed(problem, meta, step)[0]

    def loss(params: State, theta: Meta) -> Tensor:
        return problem.meta_loss({**state, "params": params}, theta, problem.horizon)

    by_w, by_theta = torch.func.grad(loss, argnums=(0, 1))(state["params"], meta)
    through = sum(
        r.reshape(count, -1) @ by_w[name].reshape(-1)
        for r, name in zip(response, state["params"], strict=True)
    )
    parts = through.split([leaf.numel() for leaf in meta.values()])
    return {
        name: slope + part.reshape(slope.shape)
        for (name, slope), part in zip(by_theta.items(), parts, strict=True)
    }
