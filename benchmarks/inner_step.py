"""One inner step of a `Problem`, as every forward pass takes it, against a plain training step."""

import torch

from benchmarks.harness import Case, Timing, compare
from benchmarks.plain_training import plain_training
from benchmarks.problems import problems
from engine.problem import Learner


def measure(rounds: int) -> list[Timing]:
    timings: list[Timing] = []
    for label, problem in problems().items():
        steps = problem.horizon
        cases = [
            Case("plain training step", plain_training(problem, steps), steps),
            Case("inner step", _inner_loop(problem), steps),
            Case("of which its batch", _batches(problem), steps),
        ]
        timings += compare(f"inner step: {label}", cases, rounds=rounds)
    return timings


def _inner_loop(problem: Learner):
    meta = problem.initial_meta(0)

    @torch.no_grad()
    def train() -> None:
        state = problem.initial_state(meta, 0)
        for t in range(problem.horizon):
            state = problem.step(state, meta, t)

    return train


def _batches(problem: Learner):
    seed = torch.tensor(0)

    def draw() -> None:
        for t in range(problem.horizon):
            problem.task.batch(seed, t)

    return draw
