"""What the rules of advice ask of a case, and from which figures on. Free of torch."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from engine.advice.case import Case

MANY = 500
"""Meta-parameters from which on random directions see little: 650 were measured."""
FEW_FOR_A_SEARCH = 10
FEW_TANGENTS = 4
"""Up to which forward mode was faster than checkpoints: 0.042 s and 0.054 s with 4 tangents, 0.15 s
and 0.043 s with 30 (docs/results/advice-evidence.json)."""
EXPLODED = 1e6
"""Norm of an exact meta-gradient; those of the presets' runs stay below 1e2 (docs/results)."""
SLOWER_MEASURED, SLOWER_FORECAST = 1.2, 1.5**2
"""Times slower from which on an exact estimator stands behind the fastest. Below, timings of the
same estimator differ by as much (the quartiles in benchmarks/README.md); two forecasts, each right
within a factor of 1.5, may differ by its square."""
LARGE_BIAS, LARGE_VARIANCE = 0.5, 10.0
"""Relative to the exact gradient's norm and its square. At a variance of 5 evolution strategies
still learned 650 initial weights in 15 steps, and at 73 they did not
(docs/results/evolution-on-initial-parameters.json)."""
NOTICED_BIAS, NOTICED_VARIANCE = 0.05, 0.25


def fits_well(case: Case) -> bool:
    return case.fit is None or case.fit.verdict == "fits"


def takes_random_directions(case: Case) -> bool:
    """Whether it takes the gradient from random directions in the space of θ."""
    directions = getattr(case.estimator, "random_directions", None)
    return case.kind == "evolution" or directions is not None


def has_many_directions(case: Case) -> bool:
    return takes_random_directions(case) and case.facts.meta_parameters >= MANY


def measured(name: str, least: float, below: float = inf) -> Callable[[Case], bool]:
    """Whether the figure was measured here as at least `least`, and less than `below`."""

    def holds(case: Case) -> bool:
        value = None if case.past is None else getattr(case.past, name)
        return value is not None and not value < least and not value >= below

    return holds


def has_storage(case: Case, *names: str) -> bool:
    return getattr(case.estimator, "storage", None) in names


def is_cut(case: Case) -> bool:
    return not case.exact and case.kind == "truncated"


def is_over_time(case: Case) -> bool:
    low = None if case.forecast is None else case.forecast.seconds_low
    return case.seconds_allowed is not None and low is not None and low > case.seconds_allowed


def gradients_exploded(case: Case) -> bool:
    norm = case.facts.gradient_norm
    backward = case.estimator.exact or case.kind == "truncated"
    return backward and norm is not None and not norm < EXPLODED


def is_far_from_stationary(case: Case) -> bool:
    left = case.facts.way_left
    return case.facts.stationarity == "in doubt" and left is not None and left > 0.25


def is_slower(case: Case) -> bool:
    fastest = case.fastest_exact
    if not case.exact or fastest is None or not case.step_seconds or not fastest.step_seconds:
        return False
    least = SLOWER_MEASURED if case.timed and fastest.timed else SLOWER_FORECAST
    return case.step_seconds / fastest.step_seconds > least
