"""A quadratic of 100 parameters, T = 1000: where calling costs more than arithmetic.

Every level at which the engine runs an inner loop, beside the loop as one writes it by hand in
torch, and as JAX compiles it where JAX is installed. The baseline is the loop by hand.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.harness import Case, Timing, compare
from benchmarks.jax_peer import one_threaded_jax
from engine.building import build_problem
from engine.compiled import Compiled
from engine.estimators import build_estimator
from engine.problem import Learner, Problem
from engine.rolling import roll
from engine.spec import validate
from engine.together import together

jax = one_threaded_jax()

STEPS, DIMENSION = 1000, 100
SEEDS = 16


def measure(rounds: int) -> list[Timing]:
    transforms, traced = _problem("eager"), _problem("traced")
    compiled, many = Compiled(traced), together(traced, SEEDS, stride=1)
    by_hand = Case("written by hand in torch", _by_hand(traced), STEPS)
    training = [
        by_hand,
        Case("function transforms", _training(transforms), STEPS),
        Case("traced", _training(traced), STEPS),
        Case("compiled", _training(compiled), STEPS),
        Case(f"traced, {SEEDS} seeds together", _training(many), STEPS),
        Case(f"compiled, {SEEDS} seeds together", _training(Compiled(many)), STEPS),
    ]
    exact = [by_hand]
    for storage in ("full", "checkpoint"):
        exact += [
            Case(f"function transforms, {storage}", _meta_gradient(transforms, storage), STEPS),
            Case(f"traced, {storage}", _meta_gradient(traced, storage), STEPS),
            Case(f"compiled, {storage}", _meta_gradient(compiled, storage), STEPS),
        ]
    exact.append(Case(f"traced, checkpoint, {SEEDS} seeds together", _meta_gradient(many), STEPS))
    if jax is not None:
        loss = _jax_meta_loss(traced)
        training.append(Case("jax.jit of lax.scan", _jax(jax.jit(loss), traced), STEPS))
        exact.append(Case("jax.jit of jax.grad", _jax(jax.jit(jax.grad(loss)), traced), STEPS))
    return [
        *compare(f"quadratic, T = {STEPS}: training", training, rounds=rounds),
        *compare(f"quadratic, T = {STEPS}: exact meta-gradient", exact, rounds=rounds),
    ]


def _problem(program: str) -> Learner:
    return build_problem(
        validate(
            {
                "inner_task": {"kind": "quadratic", "dimension": DIMENSION, "noise": 0.0},
                "inner": {"steps": STEPS, "program": program},
                "device": "cpu",
            }
        )
    )


def _training(problem: Problem) -> Callable[[], object]:
    meta = problem.initial_meta(0)

    @torch.no_grad()
    def train() -> Tensor | float:
        return roll(problem, problem.initial_state(meta, 0), meta, 0, STEPS)[1]

    return train


def _by_hand(problem: Learner) -> Callable[[], object]:
    curvature, optimum = problem.task.curvature, problem.task.optimum
    rate = problem.initial_meta(0)["learning_rate"]

    @torch.no_grad()
    def train() -> Tensor:
        w = problem.task.initial_params(0)["w"]
        for _ in range(STEPS):
            w = w - rate * (curvature * (w - optimum))
        return problem.task.validation_loss({"w": w}, torch.tensor(0))

    return train


def _meta_gradient(problem: Problem, storage: str = "checkpoint") -> Callable[[], object]:
    estimator = build_estimator({"kind": "unrolled", "storage": storage})
    meta = problem.initial_meta(0)
    carry = estimator.start(problem, meta, 0)
    return lambda: estimator.estimate(problem, meta, carry)


def _jax_meta_loss(problem: Learner) -> Callable:
    """F of the learning rate, the inner loop a scan."""
    task = problem.task
    start = jax.numpy.asarray(task.initial_params(0)["w"].numpy())
    curvature, optimum, target = (
        jax.numpy.asarray(tensor.numpy())
        for tensor in (task.curvature, task.optimum, task.validation_optimum)
    )

    def loss(w):
        return 0.5 * (curvature * (w - optimum) ** 2).sum()

    def meta_loss(rate):
        def step(w, _):
            return w - rate * jax.grad(loss)(w), None

        w, _ = jax.lax.scan(step, start, None, length=STEPS)
        return 0.5 * ((w - target) ** 2).sum()

    return meta_loss


def _jax(function: Callable, problem: Learner) -> Callable[[], object]:
    rate = float(problem.initial_meta(0)["learning_rate"])
    return lambda: function(rate).block_until_ready()
