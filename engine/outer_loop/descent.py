"""Descending along the meta-gradients of an estimator."""

from __future__ import annotations

from dataclasses import fields
from math import cos, pi
from typing import Any

import torch
from torch import Tensor

from engine import trees
from engine.estimators import Estimate, Health, build_estimator
from engine.outer_loop.loop import OuterLoop, Values
from engine.outer_loop.meta_batch import meta_batch
from engine.pictures import Picture
from engine.population import Share, Shared, generator, in_process
from engine.probes.bias import accuracy
from engine.probes.memory import PeakBytes
from engine.probes.oracle import Oracle
from engine.probes.smoothing import smoothed_target
from engine.problem import Meta, Problem
from engine.spec import Experiment

PROBE_DRAWS = 1 << 40
"""Draw numbers of the probes start here, so that they are independent of the run's own draws."""
SMOOTHED_DRAWS = 1 << 41
"""Likewise those of the perturbations behind the smoothed target."""


class Descent(OuterLoop):
    """torch.optim on the meta-gradients of an estimator, averaged over a meta-batch.

    One estimate goes through `loops_together` of its inner loops.
    """

    def __init__(
        self, experiment: Experiment, problem: Problem, share: Share | None = None
    ) -> None:
        super().__init__(experiment, problem)
        self.oracle = Oracle(experiment, problem)
        self.estimator = build_estimator(self.options)
        self.loops_together, self.estimated = meta_batch(
            experiment, problem, self.meta, averages=self.options.averages
        )
        self.evaluator = in_process(self.estimated)
        self.shared = self.estimated
        if share and self.estimator.evaluates_whole_loops:
            self.shared = Shared(self.estimated, share(self.evaluator))
        self.carries = [
            self.estimator.start(self.estimated, self.meta, seed) for seed in self._seeds()
        ]
        rule = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[experiment.outer.optimizer.kind]
        self.optimizer = rule(list(self.meta.values()), lr=self._learning_rate())

    def _seeds(self) -> list[int]:
        """The seed of each estimate of this outer step."""
        return self.inner_seeds()[:: self.loops_together]

    def observe(self) -> Values:
        """Estimate the meta-gradient at the present θ."""
        self.observed = [
            {**carry, "seed": seed} for carry, seed in zip(self.carries, self._seeds(), strict=True)
        ]
        results = [
            self.estimator.estimate(self.shared, self.meta, carry) for carry in self.observed
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
                sum(e.cost.seconds for e in estimates),
                sum(e.cost.inner_steps for e in estimates) * self.loops_together,
                sum(e.cost.gradients_worth for e in estimates) * self.loops_together,
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
            exact = self._exact(self.meta)
            first = PROBE_DRAWS + self.step * probes.draws
            draws = self._draws(first)
            values |= accuracy(draws, exact, seed=first).values()
            if probes.smoothed_draws and self.options.smoothing is not None:
                values |= self._smoothed(draws, exact)
        if self.experiment.measures_memory:
            values["peak_bytes"] = float(self._peak_bytes())
        return values

    def _exact(self, meta: Meta) -> Tensor:
        """g* at a θ, flat, averaged over the meta-batch."""
        return self._averaged([trees.flat(self.oracle(meta, s)[1]) for s in self.inner_seeds()])

    def _smoothed(self, draws: list[Tensor], exact: Tensor) -> Values:
        target = smoothed_target(
            self._exact,
            self.meta,
            sigma=self.options.smoothing,
            draws=self.experiment.probes.smoothed_draws,
            source=generator(self.seed, SMOOTHED_DRAWS + self.step),
        )
        return target.values(draws, exact)

    def _draws(self, first: int) -> list[Tensor]:
        """Estimates of whole inner loops at the present θ, flat; those of a random estimator from
        draw `first` on."""
        count = self.experiment.probes.draws if self.options.stochastic else 1
        if count == 1 and not self.options.partial:
            return [trees.flat(self.gradient)]
        return [
            self._averaged([self._whole_loop(carry, draw) for carry in self.observed])
            for draw in range(first, first + count)
        ]

    def _whole_loop(self, carry: dict[str, Any], draw: int) -> Tensor:
        drawn = {**carry, "draw": draw}
        return trees.flat(self.estimator.whole_loop(self.shared, self.meta, drawn).gradient)

    def _estimate_again(self, carry: dict[str, Any], draw: int) -> Estimate:
        """What `observe` estimated, from where it started, with another draw."""
        return self.estimator.estimate(self.estimated, self.meta, {**carry, "draw": draw})[0]

    def _averaged(self, gradients: list[Tensor]) -> Tensor:
        return torch.stack(gradients).mean(0)

    def _peak_bytes(self) -> int:
        with PeakBytes(next(iter(self.meta.values())).device) as peak:
            self._estimate_again(self.observed[0], PROBE_DRAWS)
        return peak.bytes

    def pictures(self) -> list[Picture]:
        """Also where an estimator that evaluates whole inner loops around θ has looked."""
        looked = self.estimator.evaluated_at(self.problem, self.meta, self.observed[0])
        if self.landscape is None or looked is None:
            return super().pictures()
        chunk = self.observed[0]["chunk"]
        every = {name: torch.cat([leaf, self.meta[name][None]]) for name, leaf in looked.items()}
        *losses, at_mean = self.landscape.losses(every, self.inner_seeds(), chunk)
        drawn = self.landscape.picture(
            looked, torch.stack(losses), self.meta, float(at_mean), chunk
        )
        return [drawn, *super().pictures()]

    def update(self) -> None:
        for name, leaf in self.meta.items():
            leaf.grad = self.factor * self.gradient[name].to(leaf)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.optimizer.step()
        self.step += 1

    def _learning_rate(self) -> float:
        """Of this outer step (Loshchilov and Hutter, 2017, eq. 5, without restarts)."""
        outer = self.experiment.outer
        if outer.optimizer.schedule == "constant":
            return outer.optimizer.learning_rate
        return outer.optimizer.learning_rate * 0.5 * (1.0 + cos(pi * self.step / outer.steps))

    def state(self) -> dict[str, Any]:
        return {
            "meta": self.meta,
            "optimizer": self.optimizer.state_dict(),
            "carries": self.carries,
            "frame": self.landscape and self.landscape.frame,
            **self._counts(),
        }

    def restore(self, state: dict[str, Any], step: int) -> None:
        for name, leaf in self.meta.items():
            leaf.copy_(state["meta"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        self.carries = trees.on_device(state["carries"], next(iter(self.meta.values())).device)
        if self.landscape:
            self.landscape.frame = state.get("frame")  # absent from an earlier version's
        self._restore_counts(state)
        self.step = step


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _diagnostics(estimates: list[Estimate]) -> Values:
    """The figures of the health record that only some estimators have, as means over the
    meta-batch."""
    values: Values = {}
    for entry in fields(Health):
        found = [getattr(e.health, entry.name) for e in estimates]
        if entry.default is None and None not in found:
            values[entry.name] = _mean(found)
    return values
