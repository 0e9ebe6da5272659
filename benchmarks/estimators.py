"""One estimate of the meta-gradient by each estimator, against plain training of the same T."""

from benchmarks.harness import Case, Timing, compare
from benchmarks.plain_training import plain_training
from benchmarks.problems import problems
from engine.estimators import build_estimator
from engine.problem import Learner

ESTIMATORS = {
    "unrolled, full": {"kind": "unrolled", "storage": "full"},
    "unrolled, per step": {"kind": "unrolled", "storage": "per_step"},
    "unrolled, checkpoint": {"kind": "unrolled", "storage": "checkpoint"},
    "truncated, last 10": {"kind": "truncated", "window": 10},
    "forward mode, one tangent": {"kind": "forward_mode"},
    "first-order MAML, full": {"kind": "fomaml", "storage": "full"},
    "evolution, 8 particles": {"kind": "evolution", "particles": 8},
}
IMPLICIT = {
    "implicit, 1 of CG": {"kind": "implicit", "iterations": 1},
    "implicit, 11 of CG": {"kind": "implicit", "iterations": 11},
}
"""Their difference is ten products. They learn the weight decay, which is in the inner loss, and
their training set is one batch: a product then takes as many examples as a step."""


def measure(rounds: int) -> list[Timing]:
    timings: list[Timing] = []
    with_decay = problems("weight_decay", train_examples=64, batch_size=None)
    for label, problem in problems().items():
        steps = problem.horizon
        cases = [Case("plain training", plain_training(problem, steps), steps)]
        cases += [Case(name, _estimate(problem, spec), steps) for name, spec in ESTIMATORS.items()]
        cases += [
            Case(name, _estimate(with_decay[label], spec), steps) for name, spec in IMPLICIT.items()
        ]
        timings += compare(f"estimators: {label}", cases, rounds=rounds, memory=True)
    return timings


def _estimate(problem: Learner, spec: dict):
    estimator, meta = build_estimator(spec), problem.initial_meta(0)
    carry = estimator.start(problem, meta, 0)
    return lambda: estimator.estimate(problem, meta, carry)
