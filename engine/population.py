"""Evaluating the meta-loss at many θ together: what evolution strategies and searches spend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine.problem import Meta, Problem
from engine.rolling import roll
from engine.trees import Tree

Evaluator = Callable[[Meta, int, int], Tensor]
"""F at every particle of `metas`, of a seed, in chunks: as `meta_losses` of one problem gives it,
whoever computes it. Chunks are never cut, so that the arithmetic is the same."""


Share = Callable[[Evaluator], Evaluator]
"""Makes of an evaluator in this process one that may have others compute chunks for it."""


def in_process(problem: Problem) -> Evaluator:
    """`meta_losses` of `problem`, here."""
    return lambda metas, seed, chunk: meta_losses(problem, metas, seed, chunk=chunk)


class Shared:
    """`problem`, whose particles are evaluated by `evaluator`; in everything else itself."""

    def __init__(self, problem: Problem, evaluator: Evaluator) -> None:
        self.problem = problem
        self.evaluator = evaluator

    def __getattr__(self, name: str) -> Any:
        if name == "problem":
            raise AttributeError(name)
        return getattr(self.problem, name)


@torch.no_grad()
def meta_losses(problem: Problem, metas: Meta, seed: int, *, chunk: int) -> Tensor:
    """F at every particle; shape [particles].

    `metas` has a leading axis of particles. All of them share `seed`, so the same initial state
    and batches (common random numbers). `chunk` particles are alive at once. Where `problem` is
    `Shared`, others may compute whole chunks of them.
    """
    if isinstance(problem, Shared):
        return problem.evaluator(metas, seed, chunk)

    def meta_loss(meta: Meta) -> Tensor:
        state = problem.initial_state(meta, seed)
        _, loss = roll(problem, state, meta, 0, problem.horizon)
        return loss

    return for_each(meta_loss, metas, chunk=chunk)


def for_each(function: Callable[..., Any], *trees: Tree, chunk: int) -> Any:
    """`function` of every particle's trees; what it returns, with a leading axis of particles.

    `trees` have that axis too, and particles share the global random numbers. `chunk` of them go
    together by vmap; a chunk of one is a plain call.
    """
    particles = len(pytree.tree_leaves(trees)[0])
    parts = []
    for first in range(0, particles, chunk):
        part = pytree.tree_map(lambda leaf, i=first: leaf[i : i + chunk], trees)
        if chunk == 1:
            alone = function(*pytree.tree_map(lambda leaf: leaf[0], part))
            parts.append(pytree.tree_map(lambda leaf: leaf[None], alone))
        else:
            axes = pytree.tree_map(_axis, part)
            if 0 not in pytree.tree_leaves(axes):
                # vmap needs something to go over; a part may have one particle, or all alike.
                axes = pytree.tree_map(lambda _: 0, part)
            one = pytree.tree_map(lambda leaf, axis: leaf if axis == 0 else leaf[0], part, axes)
            parts.append(torch.func.vmap(function, in_dims=axes, randomness="same")(*one))
    if len(parts) == 1:
        return parts[0]
    return pytree.tree_map(lambda *leaves: torch.cat(leaves), *parts)


def _axis(leaf: Tensor) -> int | None:
    """Nothing for what all particles have alike, such as the seed of their batches: they then
    share one batch instead of holding a copy each."""
    if leaf.is_floating_point() or bool((leaf != leaf[:1]).any()):
        return 0
    return None


def generator(seed: int, draw: int) -> torch.Generator:
    """Random numbers of one draw of one seed, on the CPU so that every device sees the same.

    The offset keeps them apart from the initial parameters, which are drawn with the seed itself.
    """
    return torch.Generator().manual_seed((2**61 + seed * 1_000_003 + draw) % 2**63)


def standard_normal(meta: Meta, count: int, source: torch.Generator) -> Meta:
    """`count` independent N(0, I) perturbations of `meta`, along a new leading axis."""
    return {
        name: torch.randn(count, *leaf.shape, generator=source, dtype=torch.float64).to(leaf)
        for name, leaf in meta.items()
    }
