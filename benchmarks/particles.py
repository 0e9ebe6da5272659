"""64 particles of evolution strategies together, against the same 64 runs in a loop."""

from __future__ import annotations

import torch

from benchmarks.harness import Case, Timing, compare
from benchmarks.problems import problems
from engine.estimators import build_estimator
from engine.problem import Learner
from engine.rolling import roll

PARTICLES = 64
STEPS = 20


def measure(rounds: int) -> list[Timing]:
    timings: list[Timing] = []
    for label, problem in problems().items():
        problem.horizon = STEPS
        steps = STEPS * PARTICLES
        cases = [
            Case("in a loop", _loop(problem), steps),
            Case("as the engine chooses", _together(problem), steps),
        ]
        name = label.partition(", T")[0]
        timings += compare(f"{PARTICLES} particles: {name}, T = {STEPS}", cases, rounds=rounds)
    return timings


def _loop(problem: Learner):
    meta = problem.initial_meta(0)

    @torch.no_grad()
    def run() -> None:
        for _ in range(PARTICLES):
            roll(problem, problem.initial_state(meta, 0), meta, 0, problem.horizon)

    return run


def _together(problem: Learner):
    estimator = build_estimator({"kind": "evolution", "particles": PARTICLES})
    meta = problem.initial_meta(0)
    carry = estimator.start(problem, meta, 0)
    return lambda: estimator.estimate(problem, meta, carry)
