"""What operations cost: from one that is called to the units of a machine's rates.

These are a call of an operation on a few entries, a floating-point operation of a large matrix
product, and a byte that an addition of vectors moves. What takes longer counts as that many of
them. How much longer was measured on the operations alone, apart from any run, on one thread of
torch 2.13 (`python -m benchmarks.operation_costs`): a call of 3.4 µs, 120 GFLOP/s, 110 GB/s.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import torch
from torch.utils.flop_counter import flop_registry

from engine.probes.memory import _tensors

_aten = torch.ops.aten


class Way(NamedTuple):
    """How an operation is called."""

    recorded: bool
    """By `make_fx`, for its replay."""
    mapped: int
    """Below so many `vmap`s."""


RECORDED = 80.0
"""The call of an operation that is recorded, in plain ones."""
MAPPED = (1.0, 1.3, 1.5)
"""Of one below so many `vmap`s."""
SEEN = 3.0
"""Of one that the memory probe sees: Python looks at its results."""
CALLS = {
    _aten.convolution: 11.0, _aten.convolution_backward: 29.0, _aten.var_mean: 2.6,
    _aten._linalg_solve_ex: 3.0, _aten.linalg_eigh: 2.0, _aten._foreach_add: 2.7,
    _aten._foreach_mul: 2.7,
}  # fmt: skip
"""Of operations whose call takes longer than that of others, in calls of these."""
TRANSPOSED = 23.0
"""A convolution that goes the other way, as the derivatives of one do."""

PRODUCTS = (_aten.mm, _aten.bmm, _aten.addmm, _aten.baddbmm)
FEW_COLUMNS, NARROW, WIDE = 16, 4.0, 1.3
"""Of a product with fewer columns a floating-point operation takes as long as `NARROW`, and else
as `WIDE`, of the largest ones."""
CONVOLUTIONS = {_aten.convolution: 1.2, _aten.convolution_backward: 1.5}
SOLVE = 6.0
"""Floating-point operations, of which a solution has 2/3 n³, by the same measure."""

SLOWER = {
    _aten.exp: 9.0, _aten.log: 12.0, _aten.sqrt: 5.0, _aten.tanh: 31.0, _aten.sigmoid: 3.5,
    _aten.sin: 14.0, _aten.cos: 14.0, _aten.where: 6.0, _aten._softmax: 15.0,
    _aten._log_softmax: 100.0, _aten._log_softmax_backward_data: 30.0,
    _aten.var_mean: 130.0, _aten.var: 130.0, _aten.mean: 5.0, _aten.sum: 2.5, _aten._to_copy: 2.5,
    _aten.avg_pool2d: 29.0, _aten.avg_pool2d_backward: 17.0,
    _aten.max_pool2d_with_indices: 46.0, _aten.max_pool2d_with_indices_backward: 20.0,
    _aten.index: 6.0, _aten.randn: 70.0, _aten.rand: 70.0,
}  # fmt: skip
"""Times that a byte of them takes that of an addition."""
NEAR, FAR = 1e6, 2.0
"""Where an operation of a CPU moves more bytes, these are not in its nearest caches any more, and
take so many times as long."""
UNKEPT, FRESH = 2**25, 50.0
"""Memory for a tensor of so many bytes comes from the system each time and not from the heap: every
page of it is given anew, for which a byte takes as long as so many that are moved."""
_GATHERS = {
    _aten.index.Tensor, _aten.gather.default, _aten.index_select.default, _aten.embedding.default,
}  # fmt: skip


def calls(func: Any, args: tuple, way: Way) -> float:
    """Of an operation, whatever the number of its entries."""
    if way.recorded:
        return RECORDED
    operation = func._overloadpacket
    own = CALLS.get(operation, 1.0)
    if operation is _aten.convolution and args[6]:
        own = TRANSPOSED
    return own - 1.0 + MAPPED[min(way.mapped, len(MAPPED) - 1)]


def flops(func: Any, args: tuple, kwargs: dict, result: Any) -> float:
    """Of a matrix product, convolution or solution of linear equations; none of anything else."""
    operation = func._overloadpacket
    if operation is _aten._linalg_solve_ex:
        return SOLVE * 2.0 / 3.0 * prod(args[0].shape) * args[0].shape[-1]
    count = flop_registry.get(operation)
    if count is None:
        return 0.0
    times = CONVOLUTIONS.get(operation, 1.0)
    if operation in PRODUCTS:
        times = NARROW if result.shape[-1] < FEW_COLUMNS else WIDE
    return times * count(*args, **kwargs, out_val=result)


def bytes_moved(func: Any, args: tuple, kwargs: dict, results: tuple) -> float:
    """Of what is read and written; none by a view."""
    if func.is_view or func is _aten.detach.default:
        return 0.0
    given = list(_tensors(results))
    made = sum(map(_bytes, given))
    # A gather reads as much as it gives, however large the tensor that it reads from.
    read = made if func in _GATHERS else sum(map(_bytes, _tensors((*args, *kwargs.values()))))
    times, fresh = SLOWER.get(func._overloadpacket, 1.0), 0.0
    if made + read > NEAR and all(tensor.device.type == "cpu" for tensor in given):
        # An operation that computes for long does not wait for its entries.
        times = max(times, FAR)
        fresh = FRESH * sum(size for size in map(_bytes, given) if size >= UNKEPT)
    return (made + read) * times + fresh


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
