"""How measured seconds stand to those that a machine's rates predict, learned from finished runs.

The logarithm of measured over predicted is taken as

    y = μ + task + estimator + kind + run,

every term normal and independent of the others: of the machine, of the inner task, of the
estimator, of the two together (a kind), and of the run itself. What the finished runs say of the
next one is then the best linear prediction (Robinson, 1991, "That BLUP is a good thing"): a kind
with runs of its own goes by these, one with few leans on its inner task and its estimator, and one
with none on all others, each with the interval that this leaves. How far the runs of a kind lie
apart is learned with it, which makes the interval Student's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np
from scipy.special import stdtrit

from engine.forecast.records import Correction

OF_MACHINE, OF_TASK, OF_ESTIMATOR, OF_KIND, OF_RUN = 0.5, 0.7, 0.2, 0.4, 0.4
"""Standard deviations of the five terms, about as likely as any given the presets' times
(`benchmarks.forecast_time`): what a task computes says more than how it is differentiated."""
FREEDOM = 4.0
"""How many runs of a kind weigh as much on the deviation of `run` as what is known before."""


@dataclass(frozen=True)
class Observation:
    """One finished run."""

    inner_task: str
    estimator: str
    configuration: str
    """The same for runs that differ in their seed alone."""
    log_ratio: float
    """log(measured / predicted), of what the rates predict."""


@dataclass(frozen=True)
class RatioDistribution:
    """Student's t distribution of log(measured / predicted) of the next run of a kind."""

    location: float
    scale: float
    freedom: float

    @property
    def factor(self) -> float:
        """What a predicted duration is to be multiplied with: the distribution's median."""
        return math.exp(self.location)

    def interval(self, coverage: float = 0.9) -> tuple[float, float]:
        """The factors between which the next run's lies with probability `coverage`."""
        half = float(stdtrit(self.freedom, 0.5 + coverage / 2)) * self.scale
        return math.exp(self.location - half), math.exp(self.location + half)


def kind_of(inner_task: str, estimator: str) -> str:
    """The key of a correction."""
    return f"{inner_task} {estimator}"


def corrections_from(observations: Iterable[Observation]) -> dict[str, Correction]:
    """The corrections of all kinds that have runs; those of one configuration count as one."""
    seen: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in observations:
        seen[kind_of(run.inner_task, run.estimator)][run.configuration].append(run.log_ratio)
    corrections = {}
    for kind, configurations in seen.items():
        ratios = [fmean(own) for own in configurations.values()]
        corrections[kind] = Correction(
            log_ratio=fmean(ratios),
            log_deviation=math.sqrt(variance(ratios)) if len(ratios) > 1 else 0.0,
            runs=len(ratios),
        )
    return corrections


def expected_ratio(
    corrections: dict[str, Correction], inner_task: str, estimator: str
) -> RatioDistribution:
    """What to expect of the next run of a kind."""
    target = kind_of(inner_task, estimator)
    pooled = _variance_of_runs(OF_RUN**2, corrections.values())
    noise = [_variance_of_runs(pooled, [own]) / own.runs for own in corrections.values()]
    kinds = list(corrections)
    between = _shared(kinds, kinds) + np.diag(noise)
    towards = _shared(kinds, [target])[:, 0]
    weights = np.linalg.solve(between, towards)
    means = np.array([own.log_ratio for own in corrections.values()])
    unexplained = float(_shared([target], [target])[0, 0] - weights @ towards)
    own = [corrections[target]] if target in corrections else []
    within = _variance_of_runs(pooled, own)
    total = max(unexplained, 0.0) + within
    return RatioDistribution(
        location=float(weights @ means),
        scale=math.sqrt(total),
        # Only the deviation of runs is learned (Satterthwaite, 1946).
        freedom=(FREEDOM + sum(correction.runs - 1 for correction in own)) * (total / within) ** 2,
    )


def _shared(kinds: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """Covariance of the means of `kinds` and of `others`, by the terms that they share."""
    covariance = np.full((len(kinds), len(others)), OF_MACHINE**2)
    for i, (inner_task, estimator) in enumerate(kind.split(" ") for kind in kinds):
        for j, (other_task, other_estimator) in enumerate(kind.split(" ") for kind in others):
            same_task, same_estimator = inner_task == other_task, estimator == other_estimator
            covariance[i, j] += OF_TASK**2 * same_task + OF_ESTIMATOR**2 * same_estimator
            covariance[i, j] += OF_KIND**2 * (same_task and same_estimator)
    return covariance


def _variance_of_runs(expected: float, seen: Iterable[Correction]) -> float:
    """Of runs around the mean of their kind: what is `expected`, with the weight of `FREEDOM` runs,
    and what is `seen` (the conjugate prior of a normal variance)."""
    squares, freedom = FREEDOM * expected, FREEDOM
    for correction in seen:
        squares += (correction.runs - 1) * correction.log_deviation**2
        freedom += correction.runs - 1
    return squares / freedom
