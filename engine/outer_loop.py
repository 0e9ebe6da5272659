"""One run's outer loop: descend along meta-gradients, or refit a search's distribution.

Both kinds have the same four verbs, so that the runner drives them alike and their events stand
on one chart: `observe` (the figures at the present θ), `probe` (what is measured beside them),
`update` (to the next θ), and the state that a checkpoint keeps.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

from engine import trees
from engine.estimators import ESTIMATORS, Estimate
from engine.population import meta_losses
from engine.probes.bias import accuracy
from engine.probes.memory import PeakBytes
from engine.probes.oracle import oracle
from engine.problem import Meta, Problem
from engine.searches import SEARCHES
from engine.spec import Experiment

Values = dict[str, float]

SEED_STRIDE = 1_000_003
"""Keeps the inner loops of a meta-batch, and of fresh outer steps, apart."""
PROBE_DRAWS = 1 << 40
"""Draw numbers of the probes start here, so that they are independent of the run's own draws."""
MOST_RECORDED_ENTRIES = 16
"""Up to this many meta-parameters are recorded one by one."""


def build_outer_loop(experiment: Experiment, problem: Problem) -> Descent | Search:
    """The outer loop of a single-run experiment (one estimator, one seed)."""
    kind = Search if experiment.estimators[0].proposes else Descent
    return kind(experiment, problem)


class _OuterLoop:
    """What both kinds share: θ, the seeds of the inner loops, and the counts so far.

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
        self.notes: list[str] = []
        self.meta: Meta = {
            name: leaf.detach().clone() for name, leaf in problem.initial_meta(self.seed).items()
        }

    def inner_seeds(self) -> list[int]:
        """One seed for each inner loop of this outer step's meta-batch."""
        batch = self.experiment.outer.meta_batch
        first = batch * self.step if self.experiment.outer.inner_seed == "fresh" else 0
        return [self.seed + SEED_STRIDE * (first + index) for index in range(batch)]

    def _count(self, seconds: float, inner_steps: int) -> Values:
        self.seconds += seconds
        self.inner_steps += inner_steps
        return {
            "step_seconds": seconds,
            "seconds": self.seconds,
            "inner_steps": float(self.inner_steps),
        }

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


class Descent(_OuterLoop):
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


class Search(_OuterLoop):
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
