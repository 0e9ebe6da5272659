"""Direct backpropagation through the whole inner loop: exact, at one of three prices in memory.

`full` keeps the graph of all T steps: O(T · step graph). `checkpoint` keeps s_t at the start of
every segment and replays one segment's graph at a time (Griewank and Walther, 2000):
O(√(T · |s| · step graph)) for one more forward pass. Replaying with the segment's graphs kept
costs less time than rebuilding every step's graph again inside a segment. `per_step` keeps every
s_t, and one step's graph at a time: O(T · |s| + step graph), segments of one step.
"""

from itertools import pairwise

import torch

from engine.estimators import segments
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
        with torch.no_grad():
            state = problem.initial_state(meta, seed)
            starts = self._starts(problem, state, meta)
            checkpoints: list[State] = []
            for start, stop in pairwise(starts):
                checkpoints.append(state)
                state, _ = roll(problem, state, meta, start, stop)
            checkpoints.append(state)
        del state

        adjoint, meta_loss = None, 0.0
        gradient = [torch.zeros_like(leaf) for leaf in meta.values()]
        for start, stop in reversed([*pairwise([*starts, horizon])]):
            part = pull_back(problem, checkpoints.pop(), meta, start, stop, adjoint)
            adjoint = part.by_state
            meta_loss = meta_loss + part.meta_loss
            torch._foreach_add_(gradient, part.by_meta)
        by_start = pull_back_through_start(problem, meta, seed, adjoint)
        torch._foreach_add_(gradient, by_start)
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

    def _starts(self, problem: Problem, state: State, meta: Meta) -> list[int]:
        """First steps of the segments, in order; `state` is s_0."""
        horizon = problem.horizon
        if self.options.storage == "full" or horizon == 1:
            return [0]
        if self.options.storage == "per_step":
            return list(range(horizon))
        if self.options.segment:
            return list(range(0, horizon, self.options.segment))
        return segments.shrinking(
            horizon,
            state_bytes=segments.bytes_of_state(state),
            step_bytes=segments.bytes_of_step(problem, state, meta),
        )
