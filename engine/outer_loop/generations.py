"""Refitting a search's distribution, a generation for each outer step."""

from __future__ import annotations

import time
from typing import Any

import torch

from engine.outer_loop.loop import OuterLoop, Values
from engine.pictures import Picture
from engine.population import Share, Shared, in_process
from engine.probes.memory import PeakBytes
from engine.problem import Problem
from engine.searches import build_search
from engine.searches.search import Carry, Generation, finite_or_worst
from engine.spec import Experiment


class Generations(OuterLoop):
    """Of the proposals of a search; the meta-loss that is reported is that of the incumbent: the
    mean μ, the best θ so far, or the best member of a population."""

    def __init__(
        self, experiment: Experiment, problem: Problem, share: Share | None = None
    ) -> None:
        super().__init__(experiment, problem)
        self.evaluator = in_process(problem)
        self.shared = Shared(problem, share(self.evaluator)) if share else problem
        self.search = build_search(self.options)
        self.carry = self.search.start(problem, self.meta, self.seed)

    def observe(self) -> Values:
        """Evaluate one generation, and the incumbent with it."""
        started = time.perf_counter()
        self.generation, self.evaluated = self._evaluate(self.shared)
        self.meta = self.generation.incumbent
        steps = self.generation.inner_steps
        deviations = torch.cat([leaf.reshape(-1) for leaf in self.carry["deviation"].values()])
        return {
            "meta_loss": self.generation.at_incumbent,
            "best": float(finite_or_worst(self.generation.losses).min()),
            "sigma": float(deviations.mean()),
            # An inner step of a proposal takes one gradient; a search differentiates nothing else.
            **self._count(time.perf_counter() - started, steps, steps),
            **self._entries(),
        }

    def _evaluate(self, problem: Problem) -> tuple[Generation, Carry]:
        return self.search.evaluate(problem, self.carry, self.inner_seeds())

    def probe(self) -> Values:
        """Peak memory; a search has no gradient to compare with the oracle."""
        if not self.experiment.measures_memory:
            return {}
        with PeakBytes(next(iter(self.meta.values())).device) as peak:
            self._evaluate(self.problem)
        return {"peak_bytes": float(peak.bytes)}

    def pictures(self) -> list[Picture]:
        """Also the generation over the meta-loss, around its incumbent."""
        if self.landscape is None:
            return super().pictures()
        found = self.generation
        drawn = self.landscape.picture(
            found.metas, found.losses, found.incumbent, found.at_incumbent, self.carry["chunk"]
        )
        return [drawn, *super().pictures()]

    def update(self) -> None:
        self.carry = self.search.observe(self.evaluated, self.generation)
        self.step += 1

    def state(self) -> dict[str, Any]:
        return {
            "carry": self.carry,
            "frame": self.landscape and self.landscape.frame,
            **self._counts(),
        }

    def restore(self, state: dict[str, Any], step: int) -> None:
        device = next(iter(self.meta.values())).device
        self.carry = self.search.restored(state["carry"], device)
        if self.landscape:
            self.landscape.frame = state.get("frame")  # absent from an earlier version's
        self._restore_counts(state)
        self.step = step
