"""Truncated backpropagation: a window of K steps instead of T, biased to short horizons.

`last_k` backpropagates through the last K steps only (Shaban et al., 2019). `windows` cuts the
trajectory into slices of K steps, stops the gradient between them and sums the slices' gradients;
a slice without a loss of its own (objective `final`) contributes nothing. At K = T both are exact.
The bias is that of Wu et al. (2018).

`online` windows take one slice at a time, so that θ changes after each (Werbos, 1990; the way
learned optimizers are trained). The inner state goes on in the carry and starts anew at the
horizon; states of earlier slices then come from earlier θ. A slice's estimate is the gradient of
its mean loss: T/K times its part of the sum, so that it stands on the scale of the whole loop.
"""

from typing import Any

import torch
from torch.utils import _pytree as pytree

from engine import trees
from engine.estimators.adjoint import AdjointNorms, pull_back, pull_back_through_start
from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator, check_within_horizon
from engine.estimators.gradient_paths import MixedMode, check_mixed_mode
from engine.estimators.truncation_schedule import SCHEDULES
from engine.problem import Meta, Problem, State
from engine.rolling import roll
from engine.spec import estimators as options


class Truncated(Estimator):
    """ĝ without the terms of g* that reach further back than a window."""

    options_type = options.Truncated

    def check(self, problem: Problem) -> None:
        check_within_horizon(problem, "window", self.options.window)
        check_within_horizon(problem, "longest_window", self.options.longest_window)
        if self.options.products == "forward_over_reverse":
            check_mixed_mode(problem)
        if self.options.online and problem.objective == "final":
            raise ValueError("online: every slice needs a loss of its own: objective average")

    def _slices(self, problem: Problem, carry: Carry) -> list[tuple[int, int]]:
        """First step and end of every slice of a whole inner loop that has a loss."""
        horizon, window = problem.horizon, self.options.window
        if self.options.mode == "last_k":
            return [(horizon - window, horizon)]
        slices, stop = [], 0
        while stop < horizon:
            start, stop = stop, self._stop(problem, carry, stop, len(slices))
            slices.append((start, stop))
        return slices if problem.objective == "average" else slices[-1:]

    def _stop(self, problem: Problem, carry: Carry, start: int, index: int) -> int:
        """Where the slice that begins at `start` ends, `index` slices after that of the carry."""
        length = self.options.window
        if self.options.online:
            schedule = SCHEDULES[self.options.schedule](
                shortest=length, longest=self.options.longest_window or problem.horizon
            )
            length = schedule.length(
                seed=carry["seed"],
                index=carry.get("slice", 0) + index,
                finished_loops=carry.get("loops", 0),
            )
        return min(start + length, problem.horizon)

    def _way_back(self, problem: Problem) -> Problem:
        """The inner loop through which the adjoint is pulled back."""
        mixed = self.options.products == "forward_over_reverse"
        return MixedMode(problem) if mixed else problem

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        horizon, seed = problem.horizon, carry["seed"]
        slices = self._slices(problem, carry)
        first = slices[0][0]
        with torch.no_grad():
            state = problem.initial_state(meta, seed)
            state, meta_loss = roll(problem, state, meta, 0, first)
        gradient, norms = [torch.zeros_like(leaf) for leaf in meta.values()], AdjointNorms()
        way_back = self._way_back(problem)
        for start, stop in slices:
            part = pull_back(way_back, state, meta, start, stop, adjoint=None)
            state = part.end
            norms.note(start, part.by_state)
            meta_loss = meta_loss + part.meta_loss
            gradient = torch._foreach_add(gradient, part.by_meta)
            if start == 0:
                by_start = pull_back_through_start(problem, meta, seed, part.by_state)
                gradient = torch._foreach_add(gradient, by_start)
        return Estimate(
            gradient=dict(zip(meta, gradient, strict=True)),
            meta_loss=float(meta_loss),
            cost=Cost(
                inner_steps=horizon,
                gradient_evaluations=horizon,
                hessian_vector_products=horizon - first,
            ),
            health=norms.health(),
        )

    def advance(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[Estimate, Carry]:
        if not self.options.online:
            return super().advance(problem, meta, carry)
        return self._slice(problem, meta, carry)

    def inner_loop(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[State, int, int]:
        if not self.options.online:
            return super().inner_loop(problem, meta, carry)
        start = carry.get("t", 0)
        stop = self._stop(problem, carry, start, 0)
        if start:
            return carry["state"], start, stop
        return super().inner_loop(problem, meta, carry)[0], 0, stop

    def _slice(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[Estimate, Carry]:
        """The gradient of one slice's mean loss. The carry has `slice` (the number of slices so
        far), `loops` (of inner loops so far) and, inside a loop, `t` and `state`."""
        horizon, seed = problem.horizon, carry["seed"]
        state, start, stop = self.inner_loop(problem, meta, carry)
        part = pull_back(self._way_back(problem), state, meta, start, stop, adjoint=None)
        norms = AdjointNorms()
        norms.note(start, part.by_state)
        gradient = part.by_meta
        if start == 0:
            by_start = pull_back_through_start(problem, meta, seed, part.by_state)
            gradient = torch._foreach_add(gradient, by_start)
        scale = horizon / (stop - start)
        following: dict[str, Any] = {**carry, "slice": carry.get("slice", 0) + 1}
        loops = carry.get("loops", 0)
        if stop < horizon:
            # A step may pass θ itself on, which the outer loop changes in place.
            kept = pytree.tree_map(torch.clone, trees.detached(part.end))
            following |= {"loops": loops, "t": stop, "state": kept}
        else:
            following |= {"loops": loops + 1, "t": 0, "state": None}
        estimate = Estimate(
            gradient=dict(zip(meta, torch._foreach_mul(gradient, scale), strict=True)),
            meta_loss=scale * float(part.meta_loss),
            cost=Cost(
                inner_steps=stop - start,
                gradient_evaluations=stop - start,
                hessian_vector_products=stop - start,
            ),
            health=norms.health(),
        )
        return estimate, following
