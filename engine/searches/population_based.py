"""Population-based training (Jaderberg et al., 2017): θ is searched while the learners train.

Every member holds θ and the state of its own inner loop. After each interval of inner steps the
members are judged, and

    exploit   each of the worst quantile copies inner state and θ of a member of the best quantile,
              drawn uniformly (truncation selection);
    explore   every entry of a copied θ is multiplied by 0.8 or 1.2, by the toss of a coin; one that
              is a logarithm is shifted by log 0.8 or log 1.2, which does the same to its value.

A line of members is thus a schedule of θ along one inner loop. A member is judged by the present
ℓ_t for the objective `final`, and by the mean of ℓ_t over the interval for `average`; where there
are several inner seeds it has an inner loop of each, and the mean over them. When the horizon is
reached the inner loops end, and the next outer step begins new ones with the θ of then: one run of
the paper is horizon / interval outer steps.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine.population import for_each, generator, standard_normal
from engine.problem import Meta, Problem, State
from engine.searches.search import Carry, Generation, Search, finite_or_worst
from engine.spec import searches as options

FACTORS = (0.8, 1.2)


class PopulationBased(Search):
    """`carry` holds the members' θ (`members`) and inner states (`states`, one tree a seed), both
    along a leading axis; the inner steps that these have done (`done`), with no states at 0; the
    number of generations so far (`draw`); the best member's θ (`mean`) and the members' standard
    deviation (`deviation`); and the names in θ that are `logarithmic`."""

    options_type = options.PopulationBased
    on_device = ("mean", "deviation", "members", "states")

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        directions = standard_normal(meta, self.options.population, generator(seed, 0))
        members = {
            name: leaf + self.options.sigma * directions[name] for name, leaf in meta.items()
        }
        logarithmic = problem.logarithmic() if hasattr(problem, "logarithmic") else []
        return {
            **super().start(problem, meta, seed),
            "draw": 0,
            "mean": meta,
            "members": members,
            "deviation": _deviation(members),
            "states": [],
            "done": 0,
            "logarithmic": sorted(logarithmic),
        }

    def propose(self, carry: Carry) -> Meta:
        return carry["members"]

    @torch.no_grad()
    def evaluate(
        self, problem: Problem, carry: Carry, seeds: list[int]
    ) -> tuple[Generation, Carry]:
        """An interval of every member's inner loops, which begin with `seeds` where none runs."""
        members, start = carry["members"], carry["done"]
        stop = min(start + self.options.interval, problem.horizon)
        chunk = carry["chunk"]
        states = carry["states"] or [_begun(problem, members, seed, chunk) for seed in seeds]
        trained = [_trained(problem, members, state, start, stop, chunk) for state in states]
        losses = torch.stack([loss for _, loss in trained]).mean(0)
        best = int(finite_or_worst(losses).argmin())
        generation = Generation(
            metas=members,
            losses=losses,
            incumbent={name: leaf[best].clone() for name, leaf in members.items()},
            at_incumbent=float(losses[best]),
            inner_steps=self.options.population * (stop - start) * len(states),
        )
        ended = stop == problem.horizon
        following = {
            "states": [] if ended else [state for state, _ in trained],
            "done": 0 if ended else stop,
        }
        return generation, {**carry, **following}

    def observe(self, carry: Carry, generation: Generation) -> Carry:
        """Exploit and explore."""
        draw = carry["draw"] + 1
        source = generator(carry["seed"], draw)
        worst, parents = self._parents(generation.losses, source)
        members = _taken(generation.metas, parents)
        for name, leaf in members.items():
            leaf[worst] = _explored(leaf[worst], source, name in carry["logarithmic"])
        return {
            **carry,
            "draw": draw,
            "mean": generation.incumbent,
            "members": members,
            "deviation": _deviation(members),
            "states": [_taken(state, parents) for state in carry["states"]],
        }

    def _parents(self, losses: Tensor, source: torch.Generator) -> tuple[Tensor, Tensor]:
        """The worst members, and for every member the one whose place it goes on from.

        No member copies one whose loss is not finite, unless all are like that.
        """
        losses = finite_or_worst(losses)
        order = losses.argsort(stable=True)
        count = max(1, int(self.options.quantile * len(order)))
        eligible = max(1, min(count, int(losses.isfinite().sum())))
        worst, drawn = order[-count:], torch.randint(eligible, (count,), generator=source)
        parents = torch.arange(len(order), device=order.device)
        parents[worst] = order[drawn.to(order.device)]
        return worst, parents


def _begun(problem: Problem, members: Meta, seed: int, chunk: int) -> State:
    """s_0 of every member, along a leading axis."""
    return for_each(lambda meta: problem.initial_state(meta, seed), members, chunk=chunk)


def _trained(
    problem: Problem, members: Meta, states: State, start: int, stop: int, chunk: int
) -> tuple[State, Tensor]:
    """The members' states after step stop − 1, and their losses; `chunk` are alive at once."""

    def train(state: State, meta: Meta) -> tuple[State, Tensor]:
        losses = []
        for t in range(start, stop):
            state = problem.step(state, meta, t)
            if problem.objective == "average" or t + 1 == stop:
                losses.append(problem.meta_loss(state, meta, t + 1))
        return state, torch.stack(losses).mean()

    return for_each(train, states, members, chunk=chunk)


def _explored(copied: Tensor, source: torch.Generator, logarithmic: bool) -> Tensor:
    down, up = FACTORS
    tossed = torch.rand(copied.shape, generator=source, dtype=torch.float64) < 0.5
    factors = torch.where(tossed, down, up).to(copied)
    return copied + factors.log() if logarithmic else copied * factors


def _taken(tree: State, parents: Tensor) -> State:
    return pytree.tree_map(lambda leaf: leaf[parents], tree)


def _deviation(members: Meta) -> Meta:
    return {name: leaf.std(0, correction=0) for name, leaf in members.items()}
