"""Tangents through a function of the inner loop: its value, and derivatives along directions of θ.

    f(s, θ, t)  →  f,   ∂f/∂s · Z + ∂f/∂θ · U

Z holds the tangents of the state's floating-point leaves and U the directions of θ, each with a
leading axis of tangents, which go together by vmap; a single one needs none. Where the function
can be traced this is a program too (see `engine.program`): forward-mode rules are worked out once
for all steps, and what comes from the zero tangents of data is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from engine import trees
from engine.problem import Meta, Problem, State
from engine.program import step_number
from engine.trees import Leaves
from engine.zero_tangents import leave_out_zeros

Push = Callable[[State, Meta, "int | Tensor", Leaves, Leaves], tuple[Any, Leaves]]
"""(state, θ, t, Z, U) to the value and its derivatives along the tangents."""

TRACED_FROM = 10
"""Calls in one estimate from which on a function is traced. Tracing takes as long as some tens of
calls, and one estimate is seldom the only one."""


def push(
    function: Callable[..., Any],
    state: State,
    meta: Meta,
    t: int | Tensor,
    tangents: Leaves,
    directions: Leaves,
) -> tuple[Any, Leaves]:
    """The value of `function(state, meta, t)`, a tree, and the derivatives of its floating-point
    leaves, along `tangents` of the state and `directions` of θ."""
    split, names, count = trees.Split(state), list(meta), len(tangents)

    def leaves_and_value(*inputs: Tensor) -> tuple[Leaves, Any]:
        theta = dict(zip(names, inputs[count:], strict=True))
        value = function(split.joined(inputs[:count]), theta, t)
        return trees.Split(value).leaves, value

    def along(*direction: Tensor) -> tuple[Any, Leaves]:
        primals = (*split.leaves, *meta.values())
        leaves, slopes, value = torch.func.jvp(leaves_and_value, primals, direction, has_aux=True)
        # Under vmap torch may give what comes from a 0-dimensional leaf in a wider format.
        return value, [slope.to(leaf.dtype) for slope, leaf in zip(slopes, leaves, strict=True)]

    if len(directions[0]) == 1:
        value, slopes = along(*(leaf[0] for leaf in (*tangents, *directions)))
        return value, [slope[None] for slope in slopes]
    vectorised = torch.func.vmap(along, out_dims=(None, 0), randomness="same")
    return vectorised(*tangents, *directions)


class TangentProgram:
    """Replays `push(function, …)` for trees like the given ones, and as many tangents."""

    def __init__(
        self, function: Callable[..., Any], state: State, meta: Meta, directions: Leaves
    ) -> None:
        count = len(directions[0])
        tangents = [leaf.new_zeros(count, *leaf.shape) for leaf in trees.Split(state).leaves]
        device = next(iter(meta.values())).device
        arguments = (state, meta, step_number(0, device), tangents, directions)
        leaves, structure = pytree.tree_flatten(arguments)

        def flat(*leaves: Tensor) -> Leaves:
            pushed = push(function, *pytree.tree_unflatten(leaves, structure))
            results, self._results = pytree.tree_flatten(pushed)
            return results

        # Tracing tells inputs apart by identity, and s_0 may hold the tensors of θ themselves.
        self._replay = make_fx(flat)(*[leaf.detach().clone() for leaf in leaves])
        leave_out_zeros(self._replay)
        self._device = device

    def __call__(
        self, state: State, meta: Meta, t: int | Tensor, tangents: Leaves, directions: Leaves
    ) -> tuple[Any, Leaves]:
        number = step_number(t, self._device)
        leaves = pytree.tree_leaves((state, meta, number, tangents, directions))
        return pytree.tree_unflatten(self._replay(*leaves), self._results)

    @property
    def operations(self) -> list[Any]:
        """The tensor operations of one call, in order."""
        return [node.target for node in self._replay.graph.nodes if node.op == "call_function"]


_PROGRAMS: WeakKeyDictionary[Problem, dict[tuple, TangentProgram]] = WeakKeyDictionary()


def pushing(
    problem: Problem,
    name: Literal["step", "meta_loss"],
    state: State,
    meta: Meta,
    directions: Leaves,
    *,
    calls: int,
) -> Push:
    """`push` of the problem's step or meta-loss, traced where `calls` of them make it worth while.

    Only where the step is traced too: one that a user wrote may branch on t or on values.
    """
    function = getattr(problem, name)
    if calls < TRACED_FROM or not getattr(problem, "traced", False):
        return partial(push, function)
    programs = _PROGRAMS.setdefault(problem, {})
    # Tangents and directions have no names: those of θ come as θ does, and those of every state
    # as those of the first.
    key = name, len(directions[0]), *meta
    if key not in programs:
        following = _in_order(function) if name == "step" else function
        programs[key] = TangentProgram(following, state, meta, directions)
    return programs[key]


def _in_order(step: Callable[..., State]) -> Callable[..., State]:
    """`step`, with the entries of what it returns in the order of its argument's."""
    return lambda state, meta, t: trees.ordered(step(state, meta, t), state)
