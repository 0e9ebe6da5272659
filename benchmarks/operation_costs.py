"""What operations cost beside the plain ones that a machine's rates are measured on.

`python -m benchmarks.operation_costs` prints, for one thread of this CPU, what the constants of
`engine.forecast.costs` are taken from:

- the call of an addition of a few entries, by Python or by the backward pass, with and without a
  graph, and below `vmap`s; and that of every other operation: beyond an addition, in calls of an
  estimate, which Python and the graph make longer;
- the time of thin matrix products and of convolutions of few channels, over what the rate of large
  products says;
- the time of a byte of every other operation, over that of an addition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode

from engine.forecast.costs import SLOWER
from engine.forecast.rates import (
    _seconds_of,
    bytes_per_second,
    flops_per_second,
    operation_seconds,
    small_estimate,
)
from engine.probes.memory import LiveStorages
from engine.program import traced

CPU = torch.device("cpu")
CHAIN = 50
"""Additions one after another, so that what begins and ends them is little."""
SMALL, LARGE = (4, 4), (256, 196)
"""Shapes of a few entries, and of 200 kB."""
PRODUCTS = (
    (32, 64, 10), (64, 64, 32), (64, 32, 10), (64, 64, 64), (64, 784, 20), (256, 64, 32),
    (400, 64, 10), (64, 128, 128), (128, 512, 512),
)  # fmt: skip
"""Rows, inner size and columns."""
BATCHED = ((8, 32, 64, 32), (64, 64, 64, 32), (64, 16, 16, 16), (32, 5, 64, 64))
CONVOLUTIONS = (
    (32, 1, 8, 8), (32, 8, 16, 8), (64, 1, 16, 28), (64, 16, 16, 14), (25, 1, 32, 28),
    (25, 32, 32, 14), (25, 32, 32, 7), (128, 64, 64, 14),
)  # fmt: skip
"""Images, channels in and out, and their width."""


class Calls(TorchDispatchMode):
    """Counts the operations that reach the CPU."""

    count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def seconds(call: Callable[[], object]) -> float:
    return _seconds_of(call, CPU)


def chained(x: Tensor) -> Tensor:
    for _ in range(CHAIN):
        x = x + x * x
    return x


def ways() -> Iterator[tuple[str, float]]:
    """Seconds of an operation, by how it is called."""
    start = torch.full((4,), 1e-3)
    tracked = start.clone().requires_grad_()
    # As the steps of an inner loop are called: replayed from a record.
    chain = make_fx(chained)(start)

    def of_each(call: Callable[[], object]) -> float:
        with Calls() as calls:
            call()
        return seconds(call) / calls.count

    with torch.no_grad():
        yield "plain", of_each(lambda: chain(start))
        once = torch.func.vmap(chain)
        yield "below a vmap", of_each(lambda: once(torch.ones(3, 4)))
        twice = torch.func.vmap(once)
        yield "below two vmaps", of_each(lambda: twice(torch.ones(3, 3, 4)))
        along = torch.func.jvp
        yield "with a tangent", of_each(lambda: along(chain, (start,), (start,)))
    yield "in a graph", of_each(lambda: chain(tracked))
    many = torch.ones(3, 4, requires_grad=True)
    yield "in a graph below a vmap", of_each(lambda: once(many))
    end = chain(tracked).sum()
    for name, create in (("backward", False), ("backward in a graph", True)):
        yield (
            name,
            of_each(
                lambda create=create: torch.autograd.grad(
                    end, tracked, retain_graph=True, create_graph=create
                )
            ),
        )
    (slope,) = torch.autograd.grad(end, tracked, create_graph=True)
    total = slope.sum()
    yield (
        "backward of a backward",
        of_each(lambda: torch.autograd.grad(total, tracked, retain_graph=True)),
    )
    yield "recorded", seconds(lambda: traced(lambda x: [chained(x)], [start])) / (2 * CHAIN)


def seen() -> float:
    """The time of an estimate that the memory probe looks at, over that of one alone."""
    estimate = small_estimate(CPU)
    alone = seconds(estimate)
    with LiveStorages():
        return seconds(estimate) / alone


def small_calls() -> Iterator[tuple[str, float]]:
    """Seconds of operations on a few entries."""
    x, square = torch.rand(SMALL), torch.eye(4) + 0.1
    index = torch.zeros(4, dtype=torch.int64)
    image, kernel = torch.rand(5, 16, 4, 4), torch.rand(16, 16, 3, 3)
    grown = torch.rand(2, 4, 4)
    calls: dict[str, Callable[[], object]] = {
        "add": lambda: torch.add(x, x),
        "mul by a number": lambda: x * 0.5,
        "sum": lambda: x.sum(),
        "mean of rows": lambda: x.mean(1),
        "view": lambda: x.view(16),
        "transpose": lambda: x.t(),
        "expand": lambda: x[None].expand(3, 4, 4),
        "cat": lambda: torch.cat([x, x]),
        "stack": lambda: torch.stack([x, x]),
        "where": lambda: torch.where(x > 0.5, x, x),
        "index": lambda: x[index],
        "gather": lambda: torch.gather(x, 1, index[:, None]),
        "log_softmax": lambda: torch.log_softmax(x, 1),
        "softmax": lambda: torch.softmax(x, 1),
        "nll": lambda: torch.nn.functional.nll_loss(x, index),
        "relu": lambda: torch.relu(x),
        "tanh": lambda: torch.tanh(x),
        "exp": lambda: torch.exp(x),
        "pow": lambda: x**2,
        "foreach add of four": lambda: torch._foreach_add([x, x, x, x], 0.5),
        "mm": lambda: torch.mm(x, x),
        "addmm": lambda: torch.addmm(x, x, x),
        "bmm": lambda: torch.bmm(grown, grown),
        "conv of 16 channels": lambda: torch.conv2d(image, kernel, None, 1, 1),
        "conv transposed": lambda: torch.conv_transpose2d(image, kernel, None, 2, 1, 1),
        "conv backward": lambda: torch.ops.aten.convolution_backward(
            image, image, kernel, [16], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [True, True, True]
        ),
        "solve": lambda: torch.linalg.solve(square, x),
        "cholesky": lambda: torch.linalg.cholesky(square @ square.T),
        "eigh": lambda: torch.linalg.eigh(square),
        "randint": lambda: torch.randint(0, 5, (4,)),
        "randn": lambda: torch.randn(4),
        "argsort": lambda: torch.argsort(x[0]),
        "item": lambda: x[0, 0].item(),
    }
    with torch.no_grad():
        for name, call in calls.items():
            yield name, seconds(call)


def products() -> Iterator[tuple[str, float]]:
    """Seconds of thin products, over those at the rate of large ones."""
    rate = flops_per_second(CPU, torch.float32)
    for rows, inner, columns in PRODUCTS:
        left, right = torch.rand(rows, inner), torch.rand(inner, columns)
        expected = 2.0 * rows * inner * columns / rate
        yield (
            f"{rows}x{inner}x{columns}",
            seconds(lambda left=left, right=right: left @ right) / expected,
        )
    for count, rows, inner, columns in BATCHED:
        left, right = torch.rand(count, rows, inner), torch.rand(count, inner, columns)
        expected = 2.0 * count * rows * inner * columns / rate
        yield (
            f"{count} of {rows}x{inner}x{columns}",
            seconds(lambda left=left, right=right: torch.bmm(left, right)) / expected,
        )


def convolutions() -> Iterator[tuple[str, float]]:
    """Seconds of convolutions, forwards and backwards, over those at the rate of large products."""
    rate = flops_per_second(CPU, torch.float32)
    for images, channels, out, width in CONVOLUTIONS:
        x, kernel = torch.rand(images, channels, width, width), torch.rand(out, channels, 3, 3)
        y = torch.conv2d(x, kernel, None, 1, 1)
        expected = 2.0 * y.numel() * kernel[0].numel() / rate
        forwards = seconds(lambda x=x, kernel=kernel: torch.conv2d(x, kernel, None, 1, 1))
        backwards = seconds(
            lambda x=x, y=y, kernel=kernel: torch.ops.aten.convolution_backward(
                y, x, kernel, [kernel.shape[0]], [1, 1], [1, 1], [1, 1], False, [0, 0], 1,
                [True, True, True],
            )
        )  # fmt: skip
        name = f"{images} of {channels} to {out}, {width} wide"
        yield name, forwards / expected
        yield f"{name}, backwards", backwards / (2 * expected)


def large_bytes() -> Iterator[tuple[str, float]]:
    """Seconds of a byte of each operation, over those of an addition."""
    x = torch.rand(LARGE)
    images = torch.rand(4, 4, 56, 56)
    rate = bytes_per_second(CPU)
    add = seconds(lambda: torch.add(x, x)) / (3 * x.nbytes)
    yield "addition, over the rate", add * rate
    calls: dict[str, tuple[Callable[[], object], float]] = {
        "mul by a number": (lambda: x * 0.5, 2),
        "relu": (lambda: torch.relu(x), 2),
        "exp": (lambda: torch.exp(x), 2),
        "log": (lambda: torch.log(x), 2),
        "sqrt": (lambda: torch.sqrt(x), 2),
        "pow": (lambda: x**3, 2),
        "tanh": (lambda: torch.tanh(x), 2),
        "sigmoid": (lambda: torch.sigmoid(x), 2),
        "softmax": (lambda: torch.softmax(x, 1), 2),
        "sum": (lambda: x.sum(), 1),
        "sum of rows": (lambda: x.sum(1), 1),
        "sum of columns": (lambda: x.sum(0), 1),
        "mean of images": (lambda: images.mean((2, 3)), images.nbytes / x.nbytes),
        "var_mean": (lambda: torch.var_mean(images, (0, 2, 3)), images.nbytes / x.nbytes),
        "copy of a transpose": (lambda: x.t().contiguous(), 2),
        "where": (lambda: torch.where(x > 0.5, x, x), 5.5),
        "avg_pool": (
            lambda: torch.nn.functional.avg_pool2d(images, 2),
            1.25 * images.nbytes / x.nbytes,
        ),
        "max_pool": (
            lambda: torch.nn.functional.max_pool2d(images, 2),
            1.75 * images.nbytes / x.nbytes,
        ),
        "randn": (lambda: torch.randn(LARGE), 1),
        "index of rows": (lambda: x[torch.arange(128)], 1),
        "cat": (lambda: torch.cat([x, x]), 4),
    }
    with torch.no_grad():
        for name, (call, moved) in calls.items():
            yield name, seconds(call) / (moved * x.nbytes) / add


def main() -> None:
    torch.set_num_threads(1)
    found, unit = dict(ways()), operation_seconds(CPU)
    print(f"calls, in those of an estimate, of {1e6 * unit:.2f} µs each")
    for name, value in found.items():
        print(f"    {name:36} {1.0 + (value - found['plain']) / unit:7.2f}")
    print(f"    {'seen by the memory probe':36} {seen():7.2f}")
    print("calls of other operations on a few entries, in these")
    small = dict(small_calls())
    for name, value in small.items():
        print(f"    {name:36} {1.0 + (value - small['add']) / unit:7.2f}")
    for title, rows in (
        ("matrix products, over the rate of large ones", products()),
        ("convolutions, over the rate of large products", convolutions()),
        (f"bytes, over those of an addition ({len(SLOWER)} are counted so)", large_bytes()),
    ):
        print(title)
        for name, value in rows:
            print(f"    {name:36} {value:7.2f}")


if __name__ == "__main__":
    main()
