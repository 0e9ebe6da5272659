"""Tensors that wait on the CPU for the way back, while the device works on others."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine import trees
from engine.problem import Meta, Problem
from engine.trees import Tree


def on_host(tree: Tree) -> Tree:
    """The tree with its tensors on the CPU: in page-locked memory where they come from CUDA, which
    the copy there and the copy back, both in the device's order, need not be waited for."""

    def copied(leaf: Tensor) -> Tensor:
        if not leaf.is_cuda:
            return leaf
        return torch.empty_like(leaf, device="cpu", pin_memory=True).copy_(leaf, non_blocking=True)

    return pytree.tree_map(copied, tree)


def graph_on_host(meta: Meta, *, wanted: bool) -> AbstractContextManager:
    """What a graph built inside saves lies on the CPU until its way back."""
    if not wanted:
        return nullcontext()
    pinned = any(leaf.is_cuda for leaf in meta.values())
    return torch.autograd.graph.save_on_cpu(pin_memory=pinned)


def check_graph_on_host(problem: Problem) -> None:
    """Raise `ValueError` where torch cannot move what the graph of a step saves."""
    meta = trees.tracked_meta(problem.initial_meta(0))
    try:
        with torch.enable_grad(), graph_on_host(meta, wanted=True):
            problem.step(problem.initial_state(meta, 0), meta, 0)
    except RuntimeError as error:
        if "saved tensor hooks" not in str(error):
            raise
        raise ValueError(
            "offload: with the storage 'full' the step must not use torch.func.grad, whose saved "
            "tensors torch cannot move; allowed here: another storage, or torch.autograd.grad "
            "with create_graph=True"
        ) from error
