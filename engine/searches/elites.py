"""The lecture's search: sample N(μ, σ²I), keep the best, refit (the cross-entropy method).

    μ, σ² ← mean and variance of the elites      (Rubinstein, 1999)

The variance is the elites' own, one for every entry of θ.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine.population import generator, standard_normal
from engine.problem import Meta, Problem
from engine.spec import searches as options
from engine.spec.validation import validate_options

Carry = dict[str, Any]


class Elites:
    """`carry` holds μ (`mean`), σ (`deviation`) and the number of generations so far (`draw`)."""

    def __init__(self, **chosen: Any) -> None:
        self.options = validate_options(options.Elites, chosen)

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        deviation = {name: torch.full_like(leaf, self.options.sigma) for name, leaf in meta.items()}
        return {"seed": seed, "draw": 0, "mean": meta, "deviation": deviation}

    def propose(self, carry: Carry) -> Meta:
        """`population` proposals along a leading axis."""
        source = generator(carry["seed"], carry["draw"])
        directions = standard_normal(carry["mean"], self.options.population, source)
        return {
            name: mean + carry["deviation"][name] * directions[name]
            for name, mean in carry["mean"].items()
        }

    def observe(self, carry: Carry, metas: Meta, losses: Tensor) -> Carry:
        """Refit to the proposals with the lowest of `losses`; one that is not finite never counts
        as good."""
        order = torch.where(losses.isfinite(), losses, torch.inf).argsort()
        chosen = {name: leaf[order[: self.options.elites]] for name, leaf in metas.items()}
        return {
            **carry,
            "draw": carry["draw"] + 1,
            "mean": {name: leaf.mean(0) for name, leaf in chosen.items()},
            "deviation": {name: leaf.std(0, correction=0) for name, leaf in chosen.items()},
        }
