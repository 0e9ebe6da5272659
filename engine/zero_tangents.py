"""Leaving out of a traced program what is zero whatever the arguments are.

Data has no tangent, but automatic differentiation multiplies the zeros that stand for it like any
others: in a network's first layer that is a third of the derivative's arithmetic.
"""

from __future__ import annotations

from torch import Tensor, ops
from torch.fx import GraphModule, Node

from engine.program import written

_aten = ops.aten
_ZEROS = {
    _aten._efficientzerotensor.default,
    _aten.zeros.default,
    _aten.zeros_like.default,
    _aten.new_zeros.default,
}
_PRODUCTS = {_aten.mul.Tensor, _aten.mm.default, _aten.bmm.default, _aten.convolution.default}
"""Zero where either of their first two arguments is (a convolution: without a bias)."""
_LINEAR = {
    _aten.alias.default, _aten.clone.default, _aten._to_copy.default, _aten.detach.default,
    _aten.t.default, _aten.transpose.int, _aten.permute.default, _aten.view.default,
    _aten._unsafe_view.default, _aten.reshape.default, _aten.expand.default,
    _aten.unsqueeze.default, _aten.squeeze.dim, _aten.select.int, _aten.slice.Tensor,
    _aten.sum.default, _aten.sum.dim_IntList, _aten.mean.default, _aten.mean.dim,
    _aten.neg.default, _aten.mul.Scalar, _aten.div.Tensor, _aten.div.Scalar,
    _aten.threshold_backward.default,
}  # fmt: skip
"""Zero where their first argument is."""


def leave_out_zeros(module: GraphModule) -> None:
    """Rewrite the graph in place; its results stay the same, but that zero times what is not a
    finite number is zero."""
    zeros: set[Node] = set()
    changing = written(module)
    for node in list(module.graph.nodes):
        if node.op != "call_function" or node in changing:
            continue
        if _is_zero(node, zeros):
            zeros.add(node)
        elif node.target in (_aten.add.Tensor, _aten.sub.Tensor) and not node.kwargs:
            first, second = node.args
            for kept, dropped in ((first, second), (second, first)):
                subtracted_from_zero = node.target is _aten.sub.Tensor and kept is second
                if dropped in zeros and not subtracted_from_zero and _same_form(kept, node):
                    node.replace_all_uses_with(kept)
                    break
    for node in zeros:
        if any(user not in zeros for user in node.users) and node.target not in _ZEROS:
            _write_out(module, node)
    module.graph.eliminate_dead_code()
    module.recompile()


def _is_zero(node: Node, zeros: set[Node]) -> bool:
    if node.target in _ZEROS:
        return True
    if node.target in _LINEAR:
        return node.args[0] in zeros
    if node.target is _aten.convolution.default and node.args[2] is not None:
        return False
    if node.target in _PRODUCTS:
        return any(argument in zeros for argument in node.args[:2])
    both = node.target in (_aten.add.Tensor, _aten.sub.Tensor)
    return both and all(argument in zeros for argument in node.args)


def _same_form(kept: object, node: Node) -> bool:
    if not isinstance(kept, Node):
        return False
    one, other = kept.meta.get("val"), node.meta.get("val")
    return (
        isinstance(one, Tensor)
        and isinstance(other, Tensor)
        and (one.shape, one.dtype) == (other.shape, other.dtype)
    )


def _write_out(module: GraphModule, node: Node) -> None:
    """Zeros of the node's form in its place, for an operation that still reads it."""
    value = node.meta["val"]
    with module.graph.inserting_before(node):
        zeros = module.graph.call_function(
            _aten.zeros.default,
            (list(value.shape),),
            {"dtype": value.dtype, "device": value.device},
        )
    node.replace_all_uses_with(zeros)
