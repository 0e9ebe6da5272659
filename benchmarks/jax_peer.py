"""The same meta-gradient in JAX: `jax.jit` over `lax.scan`, with and without rematerialisation.

Segments of √T steps are rematerialised (`jax.checkpoint` around an inner scan), which is how a
JAX user bounds the memory of a long scan.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType

import torch
from torch import Tensor

from benchmarks.peers import InnerLoop

Result = tuple[Tensor, list[Tensor]]


def one_threaded_jax() -> ModuleType | None:
    """The module, with one thread as torch has here; nothing where it is not installed."""
    if find_spec("jax") is None:
        return None
    # Read when the backend starts.
    os.environ.setdefault(
        "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    )
    import jax

    return jax


def with_jax(loop: InnerLoop, *, rematerialised: bool) -> Callable[[], Result]:
    """dF/dw_0 of a tanh perceptron trained by gradient descent; compiled at the first call."""
    jax = one_threaded_jax()
    import jax.numpy as jnp
    import numpy as np

    task, horizon = loop.problem.task, loop.problem.horizon
    start = [jnp.asarray(w.numpy()) for w in task.initial_params(0).values()]
    batches = list(loop.batches())
    inputs = jnp.asarray(np.stack([b.inputs.numpy() for b in batches]))
    labels = jnp.asarray(np.stack([b.labels.numpy() for b in batches]))
    held_out = jnp.asarray(loop.validation.inputs.numpy()), jnp.asarray(loop.validation.labels)

    def cross_entropy(params, batch):
        x, y = batch
        for layer in range(0, len(params), 2):
            x = x @ params[layer].T + params[layer + 1]
            if layer < len(params) - 2:
                x = jnp.tanh(x)
        return -jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1).mean()

    def step(params, batch):
        gradients = jax.grad(cross_entropy)(params, batch)
        return [w - loop.rate * g for w, g in zip(params, gradients, strict=True)], None

    def segment(params, batch):
        return jax.lax.scan(step, params, batch)

    length = math.isqrt(horizon - 1) + 1
    whole = horizon - horizon % length

    def train(params, inputs, labels):
        if not rematerialised:
            return segment(params, (inputs, labels))[0]
        cut = tuple(a[:whole].reshape(-1, length, *a.shape[1:]) for a in (inputs, labels))
        params, _ = jax.lax.scan(jax.checkpoint(segment), params, cut)
        return jax.checkpoint(segment)(params, (inputs[whole:], labels[whole:]))[0]

    compiled = jax.jit(jax.value_and_grad(lambda p, x, y: cross_entropy(train(p, x, y), held_out)))

    def meta_gradient() -> Result:
        loss, gradient = jax.block_until_ready(compiled(start, inputs, labels))
        return torch.tensor(float(loss)), [torch.tensor(np.asarray(g)) for g in gradient]

    return meta_gradient
