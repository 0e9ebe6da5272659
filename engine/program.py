"""A step traced once and replayed: one flat list of tensor operations instead of Python.

Function transforms and dictionaries cost more than the arithmetic of a small step. `make_fx`
records the operations that one call of the step runs; replaying the record gives the same bits,
with the step number as a tensor so that one record serves every step. What depends on no argument
is worked out once, and what no result depends on is left out. Plain operations can be
differentiated again, so the record works under autograd, jvp and vmap like the step itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._guards import TracingContext, detect_fake_mode, tracing
from torch._subclasses import FakeTensorMode
from torch.fx import GraphModule, Node, map_arg
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from engine.trees import Meta, State

Step = Callable[[State, Meta, "int | Tensor"], Any]

_aten = torch.ops.aten
_FILLED = {_aten.ones_like.default: torch.ones, _aten.zeros_like.default: torch.zeros}
"""Operations that look only at the form of their argument."""


class Recorded:
    """A function of trees of tensors, recorded at its first call and replayed from then on.

    Every call must have trees of the same names, shapes, dtypes and device, and the function must
    not branch on values in Python.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._operations: GraphModule | None = None

    def __call__(self, *arguments: Any) -> Any:
        if self._operations is None:
            self.record(*arguments)
        # By name: entries may come in another order than in the example.
        results = self._operations(*self._given.flatten_up_to(arguments))
        return pytree.tree_unflatten(results, self._result)

    def record(self, *arguments: Any) -> None:
        """Record a call with `arguments`, an example of those of every call."""
        leaves, self._given = pytree.tree_flatten(arguments)

        def flat(*leaves: Tensor) -> list[Tensor | None]:
            result = self._function(*pytree.tree_unflatten(leaves, self._given))
            found, self._result = pytree.tree_flatten(result)
            return found

        # Tracing tells inputs apart by identity, and s_0 may hold the tensors of θ themselves.
        self._operations = traced(flat, [leaf.detach().clone() for leaf in leaves])

    @property
    def size(self) -> int:
        """The number of tensor operations."""
        return sum(node.op == "call_function" for node in self._operations.graph.nodes)


class StepProgram:
    """Replays `step(state, meta, t)`, or another function of these that gives a tree of tensors.

    `state` and `meta` are an example of the trees that every call has, in structure, shapes,
    dtypes and device. The step must not branch on values, or on `t`, in Python.
    """

    def __init__(self, step: Step, state: State, meta: Meta) -> None:
        self._device = pytree.tree_leaves(state)[0].device
        self._recorded = Recorded(step)
        self._recorded.record(state, meta, self.step_number(0))

    def __call__(self, state: State, meta: Meta, t: int | Tensor) -> Any:
        return self._recorded(state, meta, self.step_number(t))

    @property
    def size(self) -> int:
        """The number of tensor operations."""
        return self._recorded.size

    def step_number(self, t: int | Tensor) -> Tensor:
        """`t` as the program takes it."""
        return step_number(t, self._device)


def step_number(t: int | Tensor, device: torch.device) -> Tensor:
    """`t` as a tensor, int64 and 0-dimensional: one record serves every step."""
    if isinstance(t, Tensor):
        return t
    return torch.full((), t, dtype=torch.int64, device=device)


def traced(
    function: Callable[..., Sequence[Tensor | None]],
    inputs: Sequence[Tensor],
    decompositions: dict[Any, Callable] | None = None,
) -> GraphModule:
    """The operations that `function(*inputs)` runs, without those whose results never change.

    `decompositions` names operations to be written out in simpler ones.
    """
    # What describes the results is of one mode: without it, each of them would make a mode of its
    # own, which reads the stack that it is made from (a third to a half of a recording).
    mode = detect_fake_mode(inputs) or FakeTensorMode(allow_fallback_kernels=True)
    with tracing(TracingContext(mode)):
        module = make_fx(function, decompositions)(*inputs)
    for node in module.graph.nodes:
        # Under vmap a tensor may lie in memory in another way than in the example.
        if node.target is _aten.view.default:
            node.target = _aten.reshape.default
    _work_out_constants(module)
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def _work_out_constants(module: GraphModule) -> None:
    """Replace what depends on no argument by its value."""
    values: dict[Node, Any] = {}
    changing = written(module)
    for node in module.graph.nodes:
        if node in changing:
            continue
        if node.op == "get_attr":
            values[node] = getattr(module, node.target)
        elif node.op == "call_function" and node.target in _FILLED:
            example = node.meta["val"]
            values[node] = _FILLED[node.target](
                example.shape, dtype=example.dtype, device=example.device
            )
        elif node.op == "call_function" and _is_constant(node, values):
            values[node] = node.target(
                *map_arg(node.args, values.__getitem__), **map_arg(node.kwargs, values.__getitem__)
            )
    for index, (node, value) in enumerate(values.items()):
        needed = any(user not in values for user in node.users)
        if node.op == "call_function" and needed and isinstance(value, Tensor):
            name = f"_worked_out_{index}"
            module.register_buffer(name, value)
            with module.graph.inserting_before(node):
                node.replace_all_uses_with(module.graph.get_attr(name))


def written(module: GraphModule) -> set[Node]:
    """Results that an operation writes into later, and what these may be views of.

    Such a result is not what the operation that made it gave: a replay must make it anew, and
    nothing can be told from its first value.
    """
    found: set[Node] = set()
    for node in module.graph.nodes:
        schema = getattr(node.target, "_schema", None)
        if node.op != "call_function" or schema is None or not schema.is_mutable:
            continue
        for argument in node.all_input_nodes:
            found.add(argument)
            while argument.op == "call_function" and _may_be_view(argument):
                argument = argument.args[0]
                found.add(argument)
    return found


def _may_be_view(node: Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    # Without one it is Python's getitem, which takes one of the results of such as `split`.
    return schema is None or any(given.alias_info is not None for given in schema.arguments)


def _is_constant(node: Node, values: dict[Node, Any]) -> bool:
    random = torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())
    return not random and all(argument in values for argument in node.all_input_nodes)
