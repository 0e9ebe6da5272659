"""The contract of searches: a generation of θ is evaluated, and observed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from engine import trees
from engine.chunking import particles_together
from engine.population import meta_losses
from engine.problem import Meta, Problem
from engine.spec.searches import Search as Options
from engine.spec.validation import validate_options

Carry = dict[str, Any]
"""What a search takes from one generation to the next; plain values and tensors. Every search has
`mean` (the incumbent) and `deviation` (the spread of its proposals), both trees like θ."""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """Proposals and what they came to, with the incumbent judged beside them."""

    metas: Meta
    """The proposed θ, along a leading axis."""
    losses: Tensor
    """The meta-loss of each; shape [proposals]."""
    incumbent: Meta
    at_incumbent: float
    """The meta-loss of the incumbent, on the same inner loops as the proposals'."""
    inner_steps: int


class Search(ABC):
    """Proposes θ and observes the meta-loss.

    Its state is explicit: `carry` goes in and comes out, and nothing is kept on the object.
    """

    options_type: ClassVar[type[Options]]
    on_device: ClassVar[tuple[str, ...]] = ("mean", "deviation")
    """Entries of the carry that live where θ lives; the rest is a library's, and on the CPU."""

    def __init__(self, **chosen: Any) -> None:
        self.options = validate_options(self.options_type, chosen)

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        """The carry of the first generation. `seed` fixes every draw of the search.

        A subclass adds its own to what every search has: the `seed`, and how many particles go
        together (`chunk`).
        """
        chunk = particles_together(
            problem, meta, seed, chunk=self.options.chunk, chunk_bytes=self.options.chunk_bytes
        )
        return {"seed": seed, "chunk": chunk}

    @abstractmethod
    def propose(self, carry: Carry) -> Meta:
        """A generation of proposals along a leading axis."""

    def evaluate(
        self, problem: Problem, carry: Carry, seeds: list[int]
    ) -> tuple[Generation, Carry]:
        """The next generation, and the carry that its inner loops leave.

        Every proposal, and the incumbent, runs a whole inner loop of each of `seeds`; the
        meta-loss is the mean over them.
        """
        metas, incumbent = self.propose(carry), carry["mean"]
        every = {name: torch.cat([leaf, incumbent[name][None]]) for name, leaf in metas.items()}
        losses = torch.stack(
            [meta_losses(problem, every, seed, chunk=carry["chunk"]) for seed in seeds]
        ).mean(0)
        generation = Generation(
            metas=metas,
            losses=losses[:-1],
            incumbent=incumbent,
            at_incumbent=float(losses[-1]),
            inner_steps=len(losses) * problem.horizon * len(seeds),
        )
        return generation, carry

    @abstractmethod
    def observe(self, carry: Carry, generation: Generation) -> Carry:
        """What the generation taught. `carry` is the one that `evaluate` left."""

    def restored(self, carry: Carry, device: torch.device) -> Carry:
        """`carry` as read from a checkpoint, back where it was."""
        return {
            name: trees.on_device(value, device) if name in self.on_device else value
            for name, value in carry.items()
        }


def finite_or_worst(losses: Tensor) -> Tensor:
    """`losses` in which one that is not finite, −∞ too, is the worst."""
    return torch.where(losses.isfinite(), losses, torch.inf)
