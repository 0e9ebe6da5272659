"""A step traced once and replayed: one flat list of tensor operations instead of Python.

Function transforms and dictionaries cost more than the arithmetic of a small step. `make_fx`
records the operations that one call of the step runs; replaying the record gives the same bits,
with the step number as a tensor so that one record serves every step. Plain operations can be
differentiated again, so the record works under autograd, jvp and vmap like the step itself.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from engine.trees import Tree

Step = Callable[[Tree, dict[str, Tensor], "int | Tensor"], Tree]


class StepProgram:
    """Replays `step(state, meta, t)`.

    `state` and `meta` are an example of the trees that every call has, in structure, shapes,
    dtypes and device. The step must not branch on values, or on `t`, in Python.
    """

    def __init__(self, step: Step, state: Tree, meta: dict[str, Tensor]) -> None:
        leaves, self._structure = pytree.tree_flatten(state)
        names, count = list(meta), len(leaves)
        self._device = leaves[0].device

        def flat_step(*inputs: Tensor) -> list[Tensor]:
            state = pytree.tree_unflatten(inputs[:count], self._structure)
            meta = dict(zip(names, inputs[count:-1], strict=True))
            return pytree.tree_flatten(step(state, meta, inputs[-1]))[0]

        # Tracing tells inputs apart by identity, and s_0 may hold the tensors of θ themselves.
        inputs = [leaf.detach().clone() for leaf in (*leaves, *meta.values())]
        self._operations = make_fx(flat_step)(*inputs, self._step_number(0))

    def __call__(self, state: Tree, meta: dict[str, Tensor], t: int | Tensor) -> Tree:
        leaves = pytree.tree_flatten(state)[0]
        following = self._operations(*leaves, *meta.values(), self._step_number(t))
        return pytree.tree_unflatten(following, self._structure)

    def _step_number(self, t: int | Tensor) -> Tensor:
        if isinstance(t, Tensor):
            return t
        return torch.full((), t, dtype=torch.int64, device=self._device)
