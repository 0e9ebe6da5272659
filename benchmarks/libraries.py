"""An exact meta-gradient of the initial parameters: ours beside other libraries, values compared.

Times are in turns, ratios to the plain loop; a library that is not installed is left out (see
benchmarks/requirements.txt). JAX's memory is not seen by torch and stays empty.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks import jax_peer
from benchmarks.few_shot import few_shot_learner
from benchmarks.harness import Case, Timing, compare
from benchmarks.peers import InnerLoop, Result, installed
from engine.building import build_problem
from engine.estimators import build_estimator
from engine.problem import Learner
from engine.spec import validate

HORIZONS = (50, 200)
RATE, FEW_SHOT_RATE = 0.1, 0.4
STORAGES = ("full", "per_step", "checkpoint")
AGREEMENT = 1e-5
"""Largest relative difference of two libraries' gradients in float32."""


def measure(rounds: int) -> list[Timing]:
    timings = _timings(
        "MAML conv4, 5-way 1-shot, T = 5", InnerLoop(few_shot_learner(), 0.4), rounds
    )
    for horizon in HORIZONS:
        loop = InnerLoop(_perceptron(horizon), RATE)
        timings += _timings(f"784-512-512-10, batch 64, T = {horizon}", loop, rounds)
    return timings


def _perceptron(horizon: int) -> Learner:
    """Smooth: at a kink of ReLU the rounding of two libraries parts their trajectories (1 % of the
    gradient's norm after 50 steps), and their values could not be compared."""
    task = {"kind": "image_mlp", "dataset": "fashion_mnist", "hidden": [512, 512]}
    document = {
        "inner_task": {**task, "activation": "tanh"},
        "inner": {"steps": horizon, "optimizer": {"kind": "sgd", "learning_rate": RATE}},
        "meta_parameters": [{"kind": "initialisation"}],
        "device": "cpu",
    }
    return build_problem(validate(document))


def _timings(group: str, loop: InnerLoop, rounds: int) -> list[Timing]:
    functions = {label: peer(loop) for label, peer in installed().items()}
    if jax_peer.one_threaded_jax() and loop.problem.horizon in HORIZONS:
        functions["jax.jit, lax.scan"] = jax_peer.with_jax(loop, rematerialised=False)
        functions["jax.jit, lax.scan, checkpoint"] = jax_peer.with_jax(loop, rematerialised=True)
    functions |= {f"ours, {storage}": _ours(loop, storage) for storage in STORAGES}
    _check_agreement(functions)
    cases = [Case(label, run, loop.problem.horizon) for label, run in functions.items()]
    return compare(f"libraries: {group}", cases, rounds=rounds, memory=True)


def _ours(loop: InnerLoop, storage: str) -> Callable[[], Result]:
    problem = loop.problem
    estimator = build_estimator({"kind": "unrolled", "storage": storage})
    meta = problem.initial_meta(0)
    carry = estimator.start(problem, meta, 0)

    def meta_gradient() -> Result:
        found, _ = estimator.estimate(problem, meta, carry)
        return torch.tensor(found.meta_loss), list(found.gradient.values())

    return meta_gradient


def _check_agreement(functions: dict[str, Callable[[], Result]]) -> None:
    """Raise `RuntimeError` where two libraries do not compute the same thing."""
    gradients = {label: _flat(run()[1]) for label, run in functions.items()}
    (reference, expected), *others = gradients.items()
    for label, gradient in others:
        error = float((gradient - expected).norm() / expected.norm())
        if error > AGREEMENT:
            raise RuntimeError(f"{label} differs from {reference} by {error:.1e} of its norm")


def _flat(leaves: list[Tensor]) -> Tensor:
    return torch.cat([leaf.detach().reshape(-1).double() for leaf in leaves])
