"""Descending along the meta-gradients of an estimator."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from engine import trees
from engine.estimators import ESTIMATORS, Estimate
from engine.outer_loop.loop import OuterLoop, Values
from engine.probes.bias import accuracy
from engine.probes.memory import PeakBytes
from engine.probes.oracle import oracle
from engine.problem import Problem
from engine.spec import Experiment

PROBE_DRAWS = 1 << 40
"""Draw numbers of the probes start here, so that they are independent of the run's own draws."""


class Descent(OuterLoop):
    """torch.optim on the meta-gradients of an estimator, averaged over a meta-batch."""

    def __init__(self, experiment: Experiment, problem: Problem) -> None:
        super().__init__(experiment, problem)
        self.estimator = ESTIMATORS[self.options.kind](**self.options.options())
        self.carries = [
            self.estimator.start(problem, self.meta, seed) for seed in self.inner_seeds()
        ]
        outer = experiment.outer.optimizer
        rule = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[outer.kind]
        self.optimizer = rule(list(self.meta.values()), lr=outer.learning_rate)

    def observe(self) -> Values:
        """Estimate the meta-gradient at the present θ."""
        self.observed = [
            {**carry, "seed": seed}
            for carry, seed in zip(self.carries, self.inner_seeds(), strict=True)
        ]
        results = [
            self.estimator.estimate(self.problem, self.meta, carry) for carry in self.observed
        ]
        self.carries = [carry for _, carry in results]
        estimates = [estimate for estimate, _ in results]
        self.gradient = {
            name: torch.stack([e.gradient[name] for e in estimates]).mean(0) for name in self.meta
        }
        self.notes = [note for estimate in estimates for note in estimate.health.notes]
        gradient_norm = float(trees.norm(list(self.gradient.values())))
        return {
            "meta_loss": _mean([e.meta_loss for e in estimates]),
            "gradient_norm": gradient_norm,
            **self._clipping(gradient_norm),
            **_diagnostics(estimates),
            **self._count(
                sum(e.cost.seconds for e in estimates), sum(e.cost.inner_steps for e in estimates)
            ),
            **self._entries(),
        }

    def _clipping(self, gradient_norm: float) -> Values:
        """The factor of the next update, and whether it shortens the estimate, where asked for.

        What is recorded and probed is the estimate itself.
        """
        longest = self.experiment.outer.clip_norm
        self.factor = 1.0
        if longest is None:
            return {}
        if gradient_norm > longest:
            self.factor = longest / gradient_norm
        return {"clipped": float(gradient_norm > longest)}

    def probe(self) -> Values:
        """Bias, variance and cosine against the oracle, and peak memory, at the present θ."""
        values: Values = {}
        probes = self.experiment.probes
        if probes.oracle:
            exact = self._averaged(
                [trees.flat(oracle(self.problem, self.meta, s)[1]) for s in self.inner_seeds()]
            )
            values |= accuracy(self._draws(), exact).values()
        if probes.memory:
            values["peak_bytes"] = float(self._peak_bytes())
        return values

    def _draws(self) -> list[Tensor]:
        if not self.options.stochastic:
            return [trees.flat(self.gradient)]
        first = PROBE_DRAWS + self.step * self.experiment.probes.draws
        return [
            self._averaged(
                [trees.flat(self._estimate_again(carry, draw).gradient) for carry in self.observed]
            )
            for draw in range(first, first + self.experiment.probes.draws)
        ]

    def _estimate_again(self, carry: dict[str, Any], draw: int) -> Estimate:
        """What `observe` estimated, from where it started, with another draw."""
        return self.estimator.estimate(self.problem, self.meta, {**carry, "draw": draw})[0]

    def _averaged(self, gradients: list[Tensor]) -> Tensor:
        return torch.stack(gradients).mean(0)

    def _peak_bytes(self) -> int:
        with PeakBytes(next(iter(self.meta.values())).device) as peak:
            self._estimate_again(self.observed[0], PROBE_DRAWS)
        return peak.bytes

    def update(self) -> None:
        for name, leaf in self.meta.items():
            leaf.grad = self.factor * self.gradient[name].to(leaf)
        self.optimizer.step()
        self.step += 1

    def state(self) -> dict[str, Any]:
        return {
            "meta": self.meta,
            "optimizer": self.optimizer.state_dict(),
            "carries": self.carries,
            "seconds": self.seconds,
            "inner_steps": self.inner_steps,
        }

    def restore(self, state: dict[str, Any], step: int) -> None:
        for name, leaf in self.meta.items():
            leaf.copy_(state["meta"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.carries = trees.on_device(state["carries"], next(iter(self.meta.values())).device)
        self.seconds, self.inner_steps, self.step = state["seconds"], state["inner_steps"], step


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _diagnostics(estimates: list[Estimate]) -> Values:
    """The figures that only some estimators have."""
    values: Values = {}
    for name in ("residual", "inner_gradient_norm"):
        found = [getattr(e.health, name) for e in estimates]
        if None not in found:
            values[name] = _mean(found)
    return values
