"""One estimate of the meta-gradient by each estimator, against plain training of the same T."""

from benchmarks.harness import Case, Timing, compare
from benchmarks.plain_training import plain_training
from benchmarks.problems import problems
from engine.estimators import build_estimator
from engine.problem import Learner

ESTIMATORS = {
    "unrolled, full": {"kind": "unrolled", "storage": "full"},
    "unrolled, checkpoint": {"kind": "unrolled", "storage": "checkpoint"},
    "truncated, last 10": {"kind": "truncated", "window": 10},
    "forward mode, one tangent": {"kind": "forward_mode"},
    "evolution, 8 particles": {"kind": "evolution", "particles": 8, "chunk": 8},
}


def measure(rounds: int) -> list[Timing]:
    timings: list[Timing] = []
    for label, problem in problems().items():
        steps = problem.horizon
        cases = [Case("plain training", plain_training(problem, steps), steps)]
        cases += [Case(name, _estimate(problem, spec), steps) for name, spec in ESTIMATORS.items()]
        timings += compare(f"estimators: {label}", cases, rounds=rounds)
    return timings


def _estimate(problem: Learner, spec: dict):
    estimator, meta = build_estimator(spec), problem.initial_meta(0)
    carry = estimator.start(problem, meta, 0)
    return lambda: estimator.estimate(problem, meta, carry)
