"""What every outer loop has: θ, the seeds of its inner loops, and the counts so far."""

from __future__ import annotations

from math import nan
from typing import Any

from engine.events import MOST_RECORDED_ENTRIES
from engine.outer_loop.landscape import Landscape
from engine.pictures import Picture
from engine.problem import Meta, Problem
from engine.spec import Experiment

Values = dict[str, float]

SEED_STRIDE = 1_000_003
"""Keeps the inner loops of a meta-batch, and of fresh outer steps, apart."""


class OuterLoop:
    """The part that descending and searching share.

    `notes` are the sentences that the last observation has for the run's log.
    """

    def __init__(self, experiment: Experiment, problem: Problem) -> None:
        self.experiment = experiment
        self.problem = problem
        self.options = experiment.estimators[0]
        self.seed = experiment.seeds[0]
        self.step = 0
        self.seconds = 0.0
        self.inner_steps = 0
        self.gradient_evaluations = 0.0
        self.notes: list[str] = []
        self.meta: Meta = {
            name: leaf.detach().clone() for name, leaf in problem.initial_meta(self.seed).items()
        }
        drawn = experiment.probes.test and Landscape.fits(self.meta)
        self.landscape = Landscape(problem, self.meta, self.inner_seeds()) if drawn else None
        """Where proposals can be drawn; nothing where θ has too many entries."""

    def inner_seeds(self) -> list[int]:
        """One seed for each inner loop of this outer step's meta-batch."""
        batch = self.experiment.outer.meta_batch
        first = batch * self.step if self.experiment.outer.inner_seed == "fresh" else 0
        return [self.seed + SEED_STRIDE * (first + index) for index in range(batch)]

    def test_figures(self) -> Values:
        """What is reached at the present θ on what neither loop has seen."""
        measure = getattr(self.problem, "test_figures", None)
        return measure(self.meta, self.seed) if measure else {}

    def pictures(self) -> list[Picture]:
        """What there is to look at at the present θ."""
        draw = getattr(self.problem, "pictures", None)
        return draw(self.meta, self.seed) if draw else []

    def _count(self, seconds: float, inner_steps: int, gradient_evaluations: int) -> Values:
        self.seconds += seconds
        self.inner_steps += inner_steps
        self.gradient_evaluations += gradient_evaluations
        return {
            "step_seconds": seconds,
            "seconds": self.seconds,
            "inner_steps": float(self.inner_steps),
            "gradient_evaluations": float(self.gradient_evaluations),
        }

    def _counts(self) -> dict[str, float]:
        """What was spent so far, for a checkpoint."""
        return {
            "seconds": self.seconds,
            "inner_steps": self.inner_steps,
            "gradient_evaluations": self.gradient_evaluations,
        }

    def _restore_counts(self, state: dict[str, Any]) -> None:
        self.seconds, self.inner_steps = state["seconds"], state["inner_steps"]
        # A checkpoint of an earlier version does not say: the count is then unknown, and no zero.
        self.gradient_evaluations = state.get("gradient_evaluations", nan)

    def _entries(self) -> Values:
        """θ entry by entry, where it is small enough to be looked at."""
        if sum(leaf.numel() for leaf in self.meta.values()) > MOST_RECORDED_ENTRIES:
            return {}
        values: Values = {}
        for name, leaf in self.meta.items():
            for index, entry in enumerate(leaf.reshape(-1).tolist()):
                suffix = f".{index}" if leaf.numel() > 1 else ""
                values[f"theta.{name}{suffix}"] = entry
        return values
