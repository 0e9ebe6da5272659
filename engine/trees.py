"""Nested dicts of tensors: which leaves carry a gradient, and arithmetic on all leaves at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

Tree = dict[str, Any]
"""Tensors in nested dicts."""
Leaves = list[Tensor]
"""The tensors of a tree, in order."""
Meta = dict[str, Tensor]
"""θ: name to tensor."""
Params = dict[str, Tensor]
"""w: name to tensor."""
State = Tree
"""s_t: `params` (w_t), what the inner optimizer remembers, and what else the next step needs."""


class Split:
    """The floating-point leaves of a state, apart from the rest, which carries no gradient."""

    def __init__(self, tree: Tree) -> None:
        self._all, self._structure = pytree.tree_flatten(tree)
        self._floating = [i for i, leaf in enumerate(self._all) if leaf.is_floating_point()]

    @property
    def leaves(self) -> Leaves:
        return [self._all[i] for i in self._floating]

    def joined(self, leaves: Sequence[Tensor]) -> Tree:
        """The tree with its floating-point leaves replaced by `leaves`."""
        every = list(self._all)
        for i, leaf in zip(self._floating, leaves, strict=True):
            every[i] = leaf
        return pytree.tree_unflatten(every, self._structure)


def detached(tree: Tree) -> Tree:
    """The same values, cut from any graph."""
    return pytree.tree_map(lambda leaf: leaf.detach(), tree)


def ordered(tree: Tree, like: Tree) -> Tree:
    """The tree with its entries in the order of those of `like`, which has the same names.

    Leaves are told apart by place, and a step may name the parts of s_{t+1} in another order.
    """
    structure = pytree.tree_structure(like)
    return pytree.tree_unflatten(structure.flatten_up_to(tree), structure)


def on_device(tree: Any, device: torch.device) -> Any:
    """The tree with its tensors on `device`; what is no tensor stays as it is."""
    return pytree.tree_map_only(Tensor, lambda leaf: leaf.to(device), tree)


def tracked(leaves: Sequence[Tensor]) -> Leaves:
    """New leaves of a graph with the same values."""
    return [leaf.detach().requires_grad_() for leaf in leaves]


def tracked_meta(meta: Meta) -> Meta:
    """θ with the same values, as new leaves of a graph."""
    return {name: leaf.detach().requires_grad_() for name, leaf in meta.items()}


def gradients(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    by_outputs: Sequence[Tensor | None],
    *,
    retain_graph: bool = False,
) -> Leaves:
    """Σ by_outputsᵀ ∂outputs/∂inputs, zero where an input plays no part."""
    paired = [
        (output, by) for output, by in zip(outputs, by_outputs, strict=True) if output.requires_grad
    ]
    if not paired:
        return [torch.zeros_like(leaf) for leaf in inputs]
    return list(
        torch.autograd.grad(
            [output for output, _ in paired],
            inputs,
            [by for _, by in paired],
            retain_graph=retain_graph,
            allow_unused=True,
            materialize_grads=True,
        )
    )


def dot(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """The inner product of two lists of tensors; 0-dimensional."""
    return torch.stack([(a * b).sum() for a, b in zip(first, second, strict=True)]).sum()


def norm(leaves: Sequence[Tensor]) -> Tensor:
    """The Euclidean norm of all leaves together; 0-dimensional, in float64: in float32 the squares
    of numbers above 1e19 overflow."""
    return torch.linalg.vector_norm(
        torch.stack(torch._foreach_norm(list(leaves), dtype=torch.float64))
    )


def flat(meta: Meta) -> Tensor:
    """All entries of a meta-gradient in one float64 vector, on the CPU."""
    return torch.cat([leaf.detach().reshape(-1).to("cpu", torch.float64) for leaf in meta.values()])
