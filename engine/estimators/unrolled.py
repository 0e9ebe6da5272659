"""Direct backpropagation through the whole inner loop: exact, at one of three prices in memory.

`full` keeps the graph of all T steps: O(T · step graph). `checkpoint` keeps s_t every k steps and
replays one segment's graph at a time (Griewank and Walther, 2000): O(T/k · |s| + k · step graph)
for one more forward pass. Replaying with the segment's graphs kept costs less time than
rebuilding every step's graph again inside a segment, and k trades one term for the other.
`per_step` keeps every s_t, and one step's graph at a time: O(T · |s| + step graph), segments of
one step.
"""

import math

import torch

from engine.estimators.adjoint import pull_back, pull_back_through_start
from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator, check_within_horizon
from engine.problem import Meta, Problem, State
from engine.rolling import roll
from engine.spec import estimators as options


class Unrolled(Estimator):
    """ĝ = g*, to rounding; every storage gives the same gradient."""

    options_type = options.Unrolled

    def check(self, problem: Problem) -> None:
        check_within_horizon(problem, "segment", self.options.segment)

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        horizon, seed = problem.horizon, carry["seed"]
        segment = self._segment(horizon)
        starts = range(0, horizon, segment)
        checkpoints: list[State] = []
        with torch.no_grad():
            state = problem.initial_state(meta, seed)
            for start in starts[:-1]:
                checkpoints.append(state)
                state, _ = roll(problem, state, meta, start, start + segment)
            checkpoints.append(state)
        del state

        adjoint, meta_loss = None, 0.0
        gradient = [torch.zeros_like(leaf) for leaf in meta.values()]
        for start in reversed(starts):
            stop = min(start + segment, horizon)
            part = pull_back(problem, checkpoints.pop(), meta, start, stop, adjoint)
            adjoint = part.by_state
            meta_loss = meta_loss + part.meta_loss
            gradient = torch._foreach_add(gradient, part.by_meta)
        by_start = pull_back_through_start(problem, meta, seed, adjoint)
        gradient = torch._foreach_add(gradient, by_start)
        replayed = starts[-1]
        return Estimate(
            gradient=dict(zip(meta, gradient, strict=True)),
            meta_loss=float(meta_loss),
            cost=Cost(
                inner_steps=horizon + replayed,
                gradient_evaluations=horizon + replayed,
                hessian_vector_products=horizon,
            ),
        )

    def _segment(self, horizon: int) -> int:
        if self.options.storage == "full":
            return horizon
        if self.options.storage == "per_step":
            return 1
        return self.options.segment or math.isqrt(horizon - 1) + 1
