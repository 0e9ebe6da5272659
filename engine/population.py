"""Evaluating the meta-loss at many θ together: what evolution strategies and searches spend."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.problem import Meta, Problem
from engine.rolling import roll


@torch.no_grad()
def meta_losses(problem: Problem, metas: Meta, seed: int, *, chunk: int) -> Tensor:
    """F at every particle; shape [particles].

    `metas` has a leading axis of particles. All of them share `seed`, so the same initial state
    and batches (common random numbers). `chunk` particles are alive at once.
    """

    def meta_loss(meta: Meta) -> Tensor:
        state = problem.initial_state(meta, seed)
        _, loss = roll(problem, state, meta, 0, problem.horizon)
        return loss

    vectorised = torch.func.vmap(meta_loss, randomness="same")
    particles = len(next(iter(metas.values())))
    return torch.cat(
        [
            vectorised({name: leaf[first : first + chunk] for name, leaf in metas.items()})
            for first in range(0, particles, chunk)
        ]
    )


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
