"""Refitting a search's distribution, a generation for each outer step."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

from engine import trees
from engine.outer_loop.loop import OuterLoop, Values
from engine.population import meta_losses
from engine.probes.memory import PeakBytes
from engine.problem import Meta, Problem
from engine.searches import SEARCHES
from engine.spec import Experiment


class Search(OuterLoop):
    """Generations of proposals; the meta-loss that is reported is that of the incumbent: the
    mean μ, or the best θ so far."""

    def __init__(self, experiment: Experiment, problem: Problem) -> None:
        super().__init__(experiment, problem)
        self.search = SEARCHES[self.options.kind](**self.options.options())
        self.carry = self.search.start(problem, self.meta, self.seed)

    def observe(self) -> Values:
        """Evaluate one generation, and the incumbent with it."""
        started = time.perf_counter()
        self.proposals = self.search.propose(self.carry)
        self.losses, at_incumbent = self._evaluate(self.proposals)
        deviations = torch.cat([leaf.reshape(-1) for leaf in self.carry["deviation"].values()])
        evaluations = (len(self.losses) + 1) * self.experiment.outer.meta_batch
        return {
            "meta_loss": float(at_incumbent),
            "best": float(torch.where(self.losses.isfinite(), self.losses, torch.inf).min()),
            "sigma": float(deviations.mean()),
            **self._count(time.perf_counter() - started, evaluations * self.problem.horizon),
            **self._entries(),
        }

    def _evaluate(self, proposals: Meta) -> tuple[Tensor, Tensor]:
        metas = {name: torch.cat([leaf, self.meta[name][None]]) for name, leaf in proposals.items()}
        losses = torch.stack(
            [
                meta_losses(self.problem, metas, seed, chunk=self.options.chunk)
                for seed in self.inner_seeds()
            ]
        ).mean(0)
        return losses[:-1], losses[-1]

    def probe(self) -> Values:
        """Peak memory; a search has no gradient to compare with the oracle."""
        if not self.experiment.probes.memory:
            return {}
        with PeakBytes(next(iter(self.meta.values())).device) as peak:
            self._evaluate(self.proposals)
        return {"peak_bytes": float(peak.bytes)}

    def update(self) -> None:
        self.carry = self.search.observe(self.carry, self.proposals, self.losses)
        self.meta = self.carry["mean"]
        self.step += 1

    def state(self) -> dict[str, Any]:
        return {"carry": self.carry, "seconds": self.seconds, "inner_steps": self.inner_steps}

    def restore(self, state: dict[str, Any], step: int) -> None:
        device = next(iter(self.meta.values())).device
        own = {name: state["carry"][name] for name in ("mean", "deviation")}
        self.carry = {**state["carry"], **trees.on_device(own, device)}
        self.meta = self.carry["mean"]
        self.seconds, self.inner_steps, self.step = state["seconds"], state["inner_steps"], step
