"""Truncated backpropagation: a window of K steps instead of T, biased to short horizons.

`last_k` backpropagates through the last K steps only (Shaban et al., 2019). `windows` cuts the
trajectory into slices of K steps, stops the gradient between them and sums the slices' gradients;
a slice without a loss of its own (objective `final`) contributes nothing. At K = T both are exact.
The bias is that of Wu et al. (2018).
"""

import torch

from engine.estimators.adjoint import pull_back, pull_back_through_start
from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator, check_within_horizon
from engine.problem import Meta, Problem
from engine.rolling import roll
from engine.spec import estimators as options


class Truncated(Estimator):
    """ĝ without the terms of g* that reach further back than a window."""

    options_type = options.Truncated

    def check(self, problem: Problem) -> None:
        check_within_horizon(problem, "window", self.options.window)

    def _starts(self, problem: Problem) -> range | list[int]:
        """First steps of the slices that have a loss; each is `window` long, or ends at T."""
        horizon, window = problem.horizon, self.options.window
        if self.options.mode == "last_k":
            return [horizon - window]
        slices = range(0, horizon, window)
        return slices if problem.objective == "average" else [slices[-1]]

    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        horizon, seed, window = problem.horizon, carry["seed"], self.options.window
        starts = self._starts(problem)
        with torch.no_grad():
            state = problem.initial_state(meta, seed)
            state, meta_loss = roll(problem, state, meta, 0, starts[0])
        by_meta = []
        for start in starts:
            stop = min(start + window, horizon)
            part = pull_back(problem, state, meta, start, stop, adjoint=None)
            state = part.end
            meta_loss = meta_loss + part.meta_loss
            by_meta.append(part.by_meta)
            if start == 0:
                by_meta.append(pull_back_through_start(problem, meta, seed, part.by_state))
        gradient = [torch.stack(parts).sum(0) for parts in zip(*by_meta, strict=True)]
        return Estimate(
            gradient=dict(zip(meta, gradient, strict=True)),
            meta_loss=float(meta_loss),
            cost=Cost(
                inner_steps=horizon,
                gradient_evaluations=horizon,
                hessian_vector_products=horizon - starts[0],
            ),
        )
