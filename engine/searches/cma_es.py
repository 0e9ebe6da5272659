"""Covariance matrix adaptation, by the library `cmaes`: sample N(μ, σ²C), refit all three.

(Hansen, 2016: "The CMA Evolution Strategy: A Tutorial")
"""

from __future__ import annotations

import numpy as np
import torch
from cmaes import CMA

from engine import trees
from engine.problem import Meta, Problem
from engine.searches.flattening import rows, unflattened
from engine.searches.search import Carry, Generation, Search, finite_or_worst
from engine.spec import searches as options

ARRAYS = ("_mean", "_C", "_p_sigma", "_pc")
NUMBERS = ("_sigma", "_g")
"""What the library changes from one generation to the next, besides its random numbers."""


class CMAES(Search):
    """`carry` holds μ (`mean`), σ√diag C (`deviation`) and the library's own state as plain data:
    `arrays`, `numbers`, and its generator's `random`."""

    options_type = options.CMAES

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        mean = trees.flat(meta).numpy().copy()
        library = CMA(mean, self.options.sigma, seed=seed, population_size=self.options.population)
        return {**super().start(problem, meta, seed), **_carried(library, meta)}

    def propose(self, carry: Carry) -> Meta:
        """`population` proposals along a leading axis."""
        _, points = self._asked(carry)
        return unflattened(torch.from_numpy(points), carry["mean"])

    def observe(self, carry: Carry, generation: Generation) -> Carry:
        """Refit to the losses; one that is not finite ranks last."""
        # Asking again moves the library's random numbers on to where they were after `propose`.
        library, _ = self._asked(carry)
        values = finite_or_worst(generation.losses).tolist()
        library.tell(list(zip(rows(generation.metas).numpy(), values, strict=True)))
        return {**carry, **_carried(library, carry["mean"])}

    def _asked(self, carry: Carry) -> tuple[CMA, np.ndarray]:
        """The library as it was carried, after it was asked for a generation; and its points."""
        library = CMA(
            carry["arrays"]["_mean"].numpy().copy(),
            self.options.sigma,
            seed=carry["seed"],
            population_size=self.options.population,
        )
        for name in ARRAYS:
            setattr(library, name, carry["arrays"][name].numpy().copy())
        for name in NUMBERS:
            setattr(library, name, carry["numbers"][name])
        keys, *rest = carry["random"]
        library._rng.set_state(("MT19937", keys.numpy().astype(np.uint32), *rest))
        return library, np.stack([library.ask() for _ in range(self.options.population)])


def _carried(library: CMA, like: Meta) -> Carry:
    _, keys, *rest = library._rng.get_state()
    deviation = library._sigma * np.sqrt(np.diag(library._C))
    one = {"mean": library._mean, "deviation": deviation}
    shaped = {
        name: {key: leaf[0] for key, leaf in unflattened(torch.tensor(row)[None], like).items()}
        for name, row in one.items()
    }
    return {
        **shaped,
        "arrays": {name: torch.tensor(getattr(library, name)) for name in ARRAYS},
        "numbers": {"_sigma": float(library._sigma), "_g": int(library._g)},
        "random": (torch.from_numpy(keys.astype(np.int64)), *rest),
    }
