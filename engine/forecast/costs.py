"""What operations cost: from one that is called to the units of a machine's rates.

These are a call of a small addition without a graph, a floating-point operation of a large matrix
product, and a byte that an addition of large vectors moves. What takes longer counts as that many
of them. How much longer was measured on the operations alone, apart from any run, on one thread of
torch 2.13, by `python -m benchmarks.operation_costs`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch.utils.flop_counter import flop_registry

from engine.probes.memory import _tensors

_aten = torch.ops.aten


class Way(NamedTuple):
    """How an operation is called."""

    recorded: bool
    """By `make_fx`, for its replay."""
    backward: bool
    """By the backward pass, and not by Python."""
    graph: bool
    """While a graph is being built."""
    mapped: int
    """Below so many `vmap`s."""


RECORDED = 90.0
MAPPED = (1.0, 1.3, 2.5)

SLOWER = {
    _aten.exp: 3.0, _aten.log: 4.0, _aten.tanh: 8.0, _aten.sigmoid: 5.0,
    _aten._softmax: 6.0, _aten._log_softmax: 6.0, _aten.var_mean: 35.0, _aten.var: 35.0,
    _aten.avg_pool2d: 8.0, _aten.avg_pool2d_backward: 6.0,
    _aten.max_pool2d_with_indices: 6.0, _aten.max_pool2d_with_indices_backward: 6.0,
}  # fmt: skip
"""Times that a byte of them takes that of an addition."""
_GATHERS = {
    _aten.index.Tensor, _aten.gather.default, _aten.index_select.default, _aten.embedding.default,
}  # fmt: skip


def call(way: Way) -> float:
    """Of an operation on a few entries."""
    if way.recorded:
        return RECORDED
    return MAPPED[min(way.mapped, len(MAPPED) - 1)]


def flops(func: Any, args: tuple, kwargs: dict, result: Any) -> float:
    """Of a matrix product or convolution; none of anything else."""
    count = flop_registry.get(func._overloadpacket)
    return 0.0 if count is None else float(count(*args, **kwargs, out_val=result))


def bytes_moved(func: Any, args: tuple, kwargs: dict, results: tuple) -> float:
    """Of what is read and written; none by a view."""
    if func.is_view or func is _aten.detach.default:
        return 0.0
    made = sum(_bytes(tensor) for tensor in _tensors(results))
    # A gather reads as much as it gives, however large the tensor that it reads from.
    read = made if func in _GATHERS else sum(map(_bytes, _tensors((*args, *kwargs.values()))))
    return (made + read) * SLOWER.get(func._overloadpacket, 1.0)


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
