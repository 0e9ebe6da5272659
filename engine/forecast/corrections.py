"""How measured seconds stand to those that a machine's rates predict, learned from finished runs.

The logarithm of measured over predicted is taken as

    y = μ + task + problem + estimator + task and estimator + run,

every term normal and independent of the others: of the machine, of the kind of inner task, of the
inner task with all its options (its sizes decide what its operations cost), of the estimator, of
the kind of task and the estimator together, and of the run itself. What the finished runs say of
the next one is then the best linear prediction (Robinson, 1991, "That BLUP is a good thing"): a
group with runs of its own goes by these, one with few leans on what ran the same problem, task or
estimator, and one with none on all others, each with the interval that this leaves. How far the
runs of a group lie apart is learned with it, which makes the interval Student's.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from statistics import fmean, variance
from typing import Any

import numpy as np
from scipy.special import stdtrit

from engine.forecast.records import Correction, Group

OF_MACHINE, OF_TASK, OF_PROBLEM, OF_ESTIMATOR, OF_PAIR, OF_RUN = 0.4, 0.2, 0.2, 0.1, 0.1, 0.2
"""Standard deviations of the six terms, about as likely as any given the presets' times on one CPU
(`benchmarks.forecast_time`), but for the machine's: the costs of operations were measured there."""
FREEDOM = 4.0
"""How many runs of a group weigh as much on the deviation of `run` as what is known before."""
MOST_GROUPS = 400
"""Those seen first, the newest: what is learned of more takes longer than a forecast may."""


@dataclass(frozen=True)
class Observation:
    """One finished run."""

    group: Group
    configuration: str
    """The same for runs that differ in their seed alone."""
    log_ratio: float
    """log(measured / predicted), of what the rates predict."""


@dataclass(frozen=True)
class RatioDistribution:
    """Student's t distribution of log(measured / predicted) of the next run of a group."""

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


def group_of(inner_task: dict[str, Any], estimator: str) -> Group:
    """That of the runs of an inner task, with its options as the spec's JSON has them, by an
    estimator."""
    digest = sha256(json.dumps(inner_task, sort_keys=True).encode()).hexdigest()[:16]
    return Group(inner_task=inner_task["kind"], problem=digest, estimator=estimator)


def corrections_from(observations: Iterable[Observation]) -> list[Correction]:
    """The corrections of all groups that have runs; those of one configuration count as one."""
    seen: dict[Group, dict[str, list[float]]] = {}
    for run in observations:
        if run.group not in seen and len(seen) == MOST_GROUPS:
            continue
        configurations = seen.setdefault(run.group, defaultdict(list))
        configurations[run.configuration].append(run.log_ratio)
    corrections = []
    for group, configurations in seen.items():
        ratios = [fmean(own) for own in configurations.values()]
        corrections.append(
            Correction(
                group=group,
                log_ratio=fmean(ratios),
                log_deviation=math.sqrt(variance(ratios)) if len(ratios) > 1 else 0.0,
                runs=len(ratios),
            )
        )
    return corrections


def expected_ratio(corrections: Sequence[Correction], target: Group) -> RatioDistribution:
    """What to expect of the next run of the group `target`."""
    pooled = _variance_of_runs(OF_RUN**2, corrections)
    noise = [_variance_of_runs(pooled, [seen]) / seen.runs for seen in corrections]
    groups = [seen.group for seen in corrections]
    between = _shared(groups, groups) + np.diag(noise)
    towards = _shared(groups, [target])[:, 0]
    weights = np.linalg.solve(between, towards)
    means = np.array([seen.log_ratio for seen in corrections])
    unexplained = float(_shared([target], [target])[0, 0] - weights @ towards)
    own = [seen for seen in corrections if seen.group == target]
    within = _variance_of_runs(pooled, own)
    total = max(unexplained, 0.0) + within
    return RatioDistribution(
        location=float(weights @ means),
        scale=math.sqrt(total),
        # Only the deviation of runs is learned (Satterthwaite, 1946).
        freedom=(FREEDOM + sum(seen.runs - 1 for seen in own)) * (total / within) ** 2,
    )


def _shared(groups: Sequence[Group], others: Sequence[Group]) -> np.ndarray:
    """Covariance of the means of `groups` and of `others`, by the terms that they share."""
    task, problem, estimator = (_alike(groups, others, name) for name in Group.model_fields)
    return (
        OF_MACHINE**2
        + OF_TASK**2 * task
        + OF_PROBLEM**2 * problem
        + OF_ESTIMATOR**2 * estimator
        + OF_PAIR**2 * (task & estimator)
    )


def _alike(groups: Sequence[Group], others: Sequence[Group], name: str) -> np.ndarray:
    """Which pairs have the same `name`."""
    rows, columns = (np.array([getattr(g, name) for g in side], str) for side in (groups, others))
    return rows[:, None] == columns[None, :]


def _variance_of_runs(expected: float, seen: Iterable[Correction]) -> float:
    """Of runs around the mean of their group: what is `expected`, with the weight of `FREEDOM`
    runs, and what is `seen` (the conjugate prior of a normal variance)."""
    squares, freedom = FREEDOM * expected, FREEDOM
    for correction in seen:
        squares += (correction.runs - 1) * correction.log_deviation**2
        freedom += correction.runs - 1
    return squares / freedom
