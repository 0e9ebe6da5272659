"""Searches inside a box that remember the best θ so far: random, grid and Bayesian.

`carry` holds the number of generations so far (`draw`), the best θ (`mean`, at first the initial
θ) and the box's standard deviation (`deviation`). The best is judged again with every generation,
on the same inner loops as its challengers: under fresh inner seeds too it stays for what it is,
not for the luck of one draw. A loss that is not finite is never the best.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from engine import trees
from engine.population import generator
from engine.problem import Meta, Problem
from engine.searches.flattening import rows, unflattened
from engine.searches.search import Carry, Generation, Search, finite_or_worst
from engine.spec import searches as options


class BoxSearch(Search):
    """Proposals in the box, by the subclass's `points`; the best so far is the incumbent."""

    options_type: ClassVar[type[options.BoxSearch]]

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        uniform = (self.options.high - self.options.low) / math.sqrt(12)
        deviation = {name: torch.full_like(leaf, uniform) for name, leaf in meta.items()}
        carry = super().start(problem, meta, seed)
        return {**carry, "draw": 0, "mean": meta, "deviation": deviation}

    def propose(self, carry: Carry) -> Meta:
        """A generation of proposals along a leading axis."""
        return unflattened(self.points(carry), carry["mean"])

    @abstractmethod
    def points(self, carry: Carry) -> Tensor:
        """The generation's points in the box; shape [proposals, dim θ], float64."""

    def observe(self, carry: Carry, generation: Generation) -> Carry:
        """Keep the best proposal where it is better than the incumbent."""
        losses = finite_or_worst(generation.losses)
        index = int(losses.argmin())
        at_incumbent = generation.at_incumbent
        carry = {**carry, "draw": carry["draw"] + 1}
        if float(losses[index]) < (at_incumbent if math.isfinite(at_incumbent) else math.inf):
            carry["mean"] = {name: leaf[index].clone() for name, leaf in generation.metas.items()}
        return carry


class Random(BoxSearch):
    """Independent and uniform (Bergstra and Bengio, 2012)."""

    options_type = options.RandomSearch

    def points(self, carry: Carry) -> Tensor:
        low, high = self.options.low, self.options.high
        shape = self.options.population, len(trees.flat(carry["mean"]))
        source = generator(carry["seed"], carry["draw"])
        return low + (high - low) * torch.rand(shape, generator=source, dtype=torch.float64)


class Grid(BoxSearch):
    """Every point of the regular grid once; the seed shuffles their order, so that a run which
    ends early has seen a random part and not one corner."""

    options_type = options.GridSearch

    def points(self, carry: Carry) -> Tensor:
        count, dimensions = self.options.points, len(trees.flat(carry["mean"]))
        order = torch.randperm(count**dimensions, generator=generator(carry["seed"], 0))
        first = carry["draw"] * self.options.population
        chosen = order[first : first + self.options.population]
        digits = [chosen // count**axis % count for axis in range(dimensions)]
        values = torch.linspace(self.options.low, self.options.high, count, dtype=torch.float64)
        return values[torch.stack(digits, dim=1)]


class Bayesian(BoxSearch):
    """The tree-structured Parzen estimator of Optuna (Bergstra et al., 2011).

    The carry also holds what was observed (`points`, `losses`). A generation's study is made anew
    from it, with a sampler seeded by (seed, draw): nothing else is remembered. The proposals of one
    generation are told apart by the sampler's constant liar.
    """

    options_type = options.Bayesian

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        nothing = torch.zeros(0, len(trees.flat(meta)), dtype=torch.float64)
        return {**super().start(problem, meta, seed), "points": nothing, "losses": nothing[:, 0]}

    def points(self, carry: Carry) -> Tensor:
        # Imported here: a second or so that only this search should cost.
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        names = [str(axis) for axis in range(carry["points"].shape[1])]
        box = optuna.distributions.FloatDistribution(self.options.low, self.options.high)
        space = dict.fromkeys(names, box)
        seed = (carry["seed"] * 1_000_003 + carry["draw"]) % 2**32
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
        study = optuna.create_study(sampler=sampler)
        for point, loss in zip(carry["points"].tolist(), carry["losses"].tolist(), strict=True):
            params = dict(zip(names, point, strict=True))
            study.add_trial(
                optuna.trial.create_trial(params=params, distributions=space, value=loss)
            )
        trials = [study.ask(space) for _ in range(self.options.population)]
        return torch.tensor([[t.params[n] for n in names] for t in trials], dtype=torch.float64)

    def observe(self, carry: Carry, generation: Generation) -> Carry:
        # A step in float32 may leave the box by a rounding; and Optuna refuses what is not a number
        points = rows(generation.metas).clamp(self.options.low, self.options.high)
        values = finite_or_worst(generation.losses).to("cpu", torch.float64)
        return {
            **super().observe(carry, generation),
            "points": torch.cat([carry["points"], points]),
            "losses": torch.cat([carry["losses"], values]),
        }
