"""Evolution strategies: the gradient of the smoothed meta-loss E_ε F(θ + ε), ε ~ N(0, σ²I).

    ĝ = 1/(2σ²n) Σ_i ε_i [F(θ + ε_i) − F(θ − ε_i)],   n = particles / 2

(Rechenberg, 1973; Salimans et al., 2017, with antithetic pairs.) Unbiased for the smoothed
meta-loss; the variance grows with dim θ. Nothing needs to be differentiable, and no graph is kept.
"""

import torch

from engine.estimators.estimate import Cost, Estimate
from engine.estimators.estimator import Carry, Estimator
from engine.population import generator, meta_losses, standard_normal
from engine.problem import Meta, Problem
from engine.spec import estimators as options


class Evolution(Estimator):
    """Antithetic pairs on common random numbers."""

    options_type = options.Evolution
    derivative = "the meta-loss at a perturbed θ"

    @torch.no_grad()
    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        particles, sigma = self.options.particles, self.options.sigma
        pairs = particles // 2
        directions = standard_normal(meta, pairs, generator(carry["seed"], carry["draw"]))
        metas = {
            name: torch.cat([leaf + sigma * directions[name], leaf - sigma * directions[name]])
            for name, leaf in meta.items()
        }
        losses = meta_losses(problem, metas, carry["seed"], chunk=self.options.chunk)
        differences = losses[:pairs] - losses[pairs:]
        return Estimate(
            gradient={
                name: torch.tensordot(differences, direction, dims=1) / (2.0 * sigma * pairs)
                for name, direction in directions.items()
            },
            meta_loss=float(losses.mean()),
            cost=Cost(
                inner_steps=problem.horizon * particles,
                gradient_evaluations=problem.horizon * particles,
            ),
        )
