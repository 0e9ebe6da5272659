"""The lecture's search: sample N(μ, σ²I), keep the best, refit (the cross-entropy method).

    μ, σ² ← mean and variance of the elites      (Rubinstein, 1999)

The variance is the elites' own, one for every entry of θ.
"""

from __future__ import annotations

import torch

from engine.population import generator, standard_normal
from engine.problem import Meta, Problem
from engine.searches.search import Carry, Generation, Search, finite_or_worst
from engine.spec import searches as options


class Elites(Search):
    """`carry` holds μ (`mean`), σ (`deviation`) and the number of generations so far (`draw`)."""

    options_type = options.Elites

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        deviation = {name: torch.full_like(leaf, self.options.sigma) for name, leaf in meta.items()}
        carry = super().start(problem, meta, seed)
        return {**carry, "draw": 0, "mean": meta, "deviation": deviation}

    def propose(self, carry: Carry) -> Meta:
        """`population` proposals along a leading axis."""
        source = generator(carry["seed"], carry["draw"])
        directions = standard_normal(carry["mean"], self.options.population, source)
        return {
            name: mean + carry["deviation"][name] * directions[name]
            for name, mean in carry["mean"].items()
        }

    def observe(self, carry: Carry, generation: Generation) -> Carry:
        """Refit to the proposals with the lowest losses; one that is not finite never counts as
        good."""
        best = finite_or_worst(generation.losses).argsort()[: self.options.elites]
        chosen = {name: leaf[best] for name, leaf in generation.metas.items()}
        return {
            **carry,
            "draw": carry["draw"] + 1,
            "mean": {name: leaf.mean(0) for name, leaf in chosen.items()},
            "deviation": {name: leaf.std(0, correction=0) for name, leaf in chosen.items()},
        }
