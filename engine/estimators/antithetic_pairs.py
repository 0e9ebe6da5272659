"""Pairs of particles at θ + σε and θ − σε that go through the inner loop window by window.

A pair's estimate of a window's part of the meta-gradient is

    m [L(θ + σε) − L(θ − σε)] / 2σ,

where L is the window's part of the meta-loss, and the modes differ in the multiplier m alone:

    antithetic      ε, of the one window that is the whole inner loop
    truncated_es    ε of this window: unbiased for the gradient with the dependence on earlier
                    windows cut, as if their θ were another one
    pes             ξ, the sum of ε over the trajectory's windows up to this one: unbiased for the
                    whole (Vicol, Metz and Sohl-Dickstein, 2021, algorithm 2)
    noise_reuse     ε, drawn once for all windows of a trajectory: unbiased likewise, and of less
                    variance where windows agree (Li, Harrison, Sohl-Dickstein, Smith and Metz,
                    2023)

For objective `average`, L is Σ c_t ℓ_t over the window. For `final`, `pes` and `noise_reuse` take
ℓ at the window's end less ℓ at its start, and 0 for the latter at the start of the loop: windows
then sum to ℓ_T, and each has something to tell (the telescoping form of Vicol et al., appendix).
What a window's own ε does to ℓ_T is seen at the horizon alone, so that `truncated_es` takes ℓ_T in
the last window and 0 before it, as truncated backpropagation does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor

from engine.estimators.estimator import Carry
from engine.population import for_each, generator, meta_losses, standard_normal
from engine.problem import Meta, Problem, State
from engine.rolling import roll
from engine.spec.estimators import Evolution as Options

Multiplied = Callable[[Meta, Callable[[], Meta]], tuple[Meta, Meta]]
"""ε and m of a window after the first, from m of the window before it and a source of new ε."""


def _truncated_es(before: Meta, drawn: Callable[[], Meta]) -> tuple[Meta, Meta]:
    direction = drawn()
    return direction, direction


def _pes(before: Meta, drawn: Callable[[], Meta]) -> tuple[Meta, Meta]:
    direction = drawn()
    return direction, {name: before[name] + leaf for name, leaf in direction.items()}


def _noise_reuse(before: Meta, drawn: Callable[[], Meta]) -> tuple[Meta, Meta]:
    return before, before


MULTIPLIED: dict[str, Multiplied] = {
    "truncated_es": _truncated_es,
    "pes": _pes,
    "noise_reuse": _noise_reuse,
}


class Group(TypedDict):
    """Pairs that stand at the same inner time, as a carry keeps them. Row i of a leading axis of
    particles and row pairs + i are a pair."""

    pairs: int
    t: int
    state: State | None
    """s_t of every particle; nothing at t = 0, and so below."""
    multiplier: Meta | None
    """m of the window before, with a leading axis of pairs."""
    loss: Tensor | None
    """ℓ_t of every particle, for objective `final`; shape [particles]."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """What a group tells of one window."""

    stop: int
    multiplier: Meta
    """m, with a leading axis of pairs."""
    losses: Tensor
    """L of every particle; shape [particles]."""
    reached: Tensor
    """ℓ_stop of every particle for objective `final`, else the same as `losses`."""


class Pairs:
    """Moves groups of pairs at one θ; `inner_steps` counts what that takes."""

    def __init__(self, problem: Problem, meta: Meta, carry: Carry, options: Options) -> None:
        self.problem = problem
        self.meta = meta
        self.seed = carry["seed"]
        self.chunk = carry["chunk"]
        self.options = options
        self.window = options.window or problem.horizon
        self.windows = -(-problem.horizon // self.window)
        self.inner_steps = 0
        self._source = generator(carry["seed"], carry["draw"])

    def at_the_start(self, pairs: int) -> Group:
        return Group(pairs=pairs, t=0, state=None, multiplier=None, loss=None)

    def first_perturbed(self, pairs: int) -> Meta:
        """θ + σε of every pair in its first window, then θ − σε."""
        direction, _ = self._perturbation(self.at_the_start(pairs))
        return self._perturbed(direction)

    def spread(self, pairs: int) -> list[Group]:
        """Pairs spread evenly over the windows, from a window drawn at random.

        Otherwise all updates would move with one phase. Earlier windows are run at the present
        θ, as if the run had always been there, so the first estimate is unbiased already.
        """
        count = min(pairs, self.windows)
        offset = int(torch.randint(self.windows, (), generator=self._source))
        groups = []
        for index in range(count):
            first, last = (pairs * i // count for i in (index, index + 1))
            group = self.at_the_start(last - first)
            for _ in range((offset + index * self.windows // count) % self.windows):
                group, _ = self.unroll(group)
            groups.append(group)
        return groups

    def unroll(self, group: Group) -> tuple[Group, Window]:
        """The group's next window, and the group after it: at the horizon, at a new start."""
        problem, start = self.problem, group["t"]
        stop = min(start + self.window, problem.horizon)
        direction, multiplier = self._perturbation(group)
        metas = self._perturbed(direction)
        if start == 0 and stop == problem.horizon:
            # Whole inner loops, of which nothing is carried on.
            reached = meta_losses(problem, metas, self.seed, chunk=self.chunk)
            return self._moved(group, multiplier, reached, None, stop)
        state = group["state"]
        if state is None:
            state = for_each(
                lambda meta: problem.initial_state(meta, self.seed), metas, chunk=self.chunk
            )

        def along(meta: Meta, state: State) -> tuple[State, Tensor]:
            end, loss = roll(problem, state, meta, start, stop)
            if problem.objective == "final" and stop < problem.horizon:
                loss = problem.meta_loss(end, meta, stop)
            return end, loss

        end, reached = for_each(along, metas, state, chunk=self.chunk)
        return self._moved(group, multiplier, reached, end, stop)

    def _moved(
        self, group: Group, multiplier: Meta, reached: Tensor, end: State | None, stop: int
    ) -> tuple[Group, Window]:
        """The group after a window that ended at `stop`, and what it told."""
        pairs = group["pairs"]
        self.inner_steps += 2 * pairs * (stop - group["t"])
        losses = self._part(group, reached, stop)
        window = Window(stop=stop, multiplier=multiplier, losses=losses, reached=reached)
        if stop == self.problem.horizon:
            return self.at_the_start(pairs), window
        after = Group(pairs=pairs, t=stop, state=end, multiplier=multiplier, loss=reached)
        return after, window

    def _part(self, group: Group, reached: Tensor, stop: int) -> Tensor:
        """L of the window that ended at `stop`."""
        if self.problem.objective == "average":
            return reached
        if self.options.mode == "truncated_es":
            return reached if stop == self.problem.horizon else torch.zeros_like(reached)
        return reached if group["loss"] is None else reached - group["loss"]

    def _perturbation(self, group: Group) -> tuple[Meta, Meta]:
        """ε and m of the group's next window."""

        def drawn() -> Meta:
            return standard_normal(self.meta, group["pairs"], self._source)

        if group["multiplier"] is None:
            direction = drawn()
            return direction, direction
        return MULTIPLIED[self.options.mode](group["multiplier"], drawn)

    def _perturbed(self, direction: Meta) -> Meta:
        """θ + σε of every pair, then θ − σε."""
        sigma = self.options.sigma
        return {
            name: torch.cat([leaf + sigma * direction[name], leaf - sigma * direction[name]])
            for name, leaf in self.meta.items()
        }
