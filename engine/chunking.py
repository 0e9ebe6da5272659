"""How many particles, or tangents, go together, from sizes alone: a choice by the clock could
change a figure.

Together they share the cost of calling each operation, and need the memory of all of them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine.probes.memory import PeakBytes
from engine.problem import Meta, Problem
from engine.tangents import push

LARGEST_STEP_TOGETHER = 500_000
"""Bytes of one particle's step up to which particles go together on the CPU.

Measured as (time one by one) / (time together), one thread, torch 2.13, chunks of 8 and 32:

    step of                           bytes      8     32
    MLP 64-32-10, batch 64             42 k    3.1   10.5
    MLP 64-128-128-10, batch 64       186 k    2.2    2.2
    CNN 8-16 channels, batch 32       212 k    3.2    5.0
    MLP 64-192-192-10, batch 64       353 k    1.9    1.9
    MLP 64-256-256-10, batch 64       602 k    1.1    1.1
    CNN 16-32 channels, batch 64      827 k    1.0    0.9
    MLP 64-320-320-10, batch 64       917 k    1.0    0.8
    MLP 64-512-512-10, batch 64     2,253 k    0.7    0.5

A large step is arithmetic, of which vectorising saves nothing, and leaves the caches. A GPU has
more to gain: there only memory counts.
"""


MOST_TOGETHER = 65_536
"""The largest `chunk` of a spec."""


def particles_together(
    problem: Problem, meta: Meta, seed: int, *, chunk: int | None, chunk_bytes: float
) -> int:
    """`chunk` where it is given; else as many as fit `chunk_bytes`, but one by one where a single
    particle's step is so large that vectorising does not pay.

    Runs one inner step at θ = `meta` to see its size.
    """
    if chunk is not None:
        return chunk
    step, whole = _bytes_of_one(problem, meta, seed)
    on_cpu = next(iter(meta.values())).device.type == "cpu"
    if on_cpu and step > LARGEST_STEP_TOGETHER:
        return 1
    return fitting(whole, chunk_bytes)


@torch.no_grad()
def tangents_together(
    problem: Problem, meta: Meta, seed: int, *, chunk: int | None, chunk_bytes: float
) -> int:
    """`chunk` where it is given; else as many as fit `chunk_bytes`, each with its tangent of the
    state and what one inner step needs to carry it on.

    Runs one inner step at θ = `meta` with a tangent to see its size. Unlike particles, tangents
    always gain: they share the step itself.
    """
    if chunk is not None:
        return chunk
    directions = [leaf.new_zeros(1, *leaf.shape) for leaf in meta.values()]
    state, tangents = push(
        lambda _, meta, t: problem.initial_state(meta, seed), {}, meta, 0, [], directions
    )
    with PeakBytes(torch.device("cpu")) as step:
        push(problem.step, state, meta, 0, tangents, directions)
    return fitting(_bytes(state) + step.bytes, chunk_bytes)


def fitting(each: int, limit: float) -> int:
    """How many of `each` bytes fit `limit`: at least one, and no more than a spec may ask for."""
    return min(max(1, int(limit // max(each, 1))), MOST_TOGETHER)


@torch.no_grad()
def _bytes_of_one(problem: Problem, meta: Meta, seed: int) -> tuple[int, int]:
    """Bytes that one particle's step needs, and bytes of a particle: its state with a step or a
    judgement, whichever is larger."""
    state = problem.initial_state(meta, seed)
    # Counted by storages on every device: an allocator's figure depends on what it did before.
    device = torch.device("cpu")
    with PeakBytes(device) as step:
        following = problem.step(state, meta, 0)
    with PeakBytes(device) as judgement:
        problem.meta_loss(following, meta, 1)
    kept = _bytes(state)
    return step.bytes, kept + max(step.bytes, kept + judgement.bytes)


def _bytes(tree: dict) -> int:
    leaves = [leaf for leaf in pytree.tree_leaves(tree) if isinstance(leaf, Tensor)]
    return sum(leaf.numel() * leaf.element_size() for leaf in leaves)
