"""What is reached on inner loops of seeds that no outer loop trains on, beside tuned Adam."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from engine.inner_optimizers import Adam
from engine.meta_parameters.learning_rate import LearningRate
from engine.population import meta_losses
from engine.problem import Learner, Meta, Problem
from engine.rolling import roll
from engine.spec.inner_loop import Adam as AdamOptions
from engine.spec.meta_parameters import LearningRate as LearningRateOptions
from engine.together import together

KEPT = 2
"""Problems whose figures a run asks for again: its own, and that of a transfer. With no more kept,
those of runs that have ended leave memory."""
LOOPS = 8
"""Inner loops that a figure averages over, all at once."""
FIRST = 1 << 61
"""Their seeds begin here, and those that Adam is tuned on end before; an experiment's own seeds
stay far below."""
RATES = torch.logspace(-3.5, 0.0, 8, dtype=torch.float64)
"""Learning rates that Adam is tried with: half a power of ten apart."""


@torch.no_grad()
def mean_loss(problem: Problem, meta: Meta) -> float:
    """F(θ) over held-out inner loops."""
    return _mean_loss(_together(problem), meta)


@lru_cache(maxsize=KEPT)
def tuned_adam_loss(task: Any, horizon: int, objective: str) -> float:
    """F over the same inner loops as `mean_loss`, with Adam at the learning rate that was best
    over as many others."""
    options = LearningRateOptions(scale="log", initial=1.0)
    rate = LearningRate(options, task=task, horizon=horizon)
    learner = Learner(
        task=task, optimizer=Adam(), fixed=AdamOptions().options(), meta_parameters=[rate],
        horizon=horizon, objective=objective, traced=False,
    )  # fmt: skip
    several = together(learner, LOOPS, stride=1)
    start = learner.initial_meta(0)["learning_rate"]
    rates = RATES.log().to(start)
    losses = meta_losses(several, {"learning_rate": rates}, FIRST - LOOPS, chunk=len(rates))
    best = losses.where(losses.isfinite(), torch.inf).argmin()
    return _mean_loss(several, {"learning_rate": rates[best]})


def _mean_loss(several: Problem, meta: Meta) -> float:
    state = several.initial_state(meta, FIRST)
    return float(roll(several, state, meta, 0, several.horizon)[1])


@lru_cache(maxsize=KEPT)
def _together(problem: Problem) -> Problem:
    """The loops of a figure as one, recorded once for all probes of a run."""
    return together(problem, LOOPS, stride=1)
