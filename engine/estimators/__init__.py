"""Estimators of the meta-gradient, built from what a spec names, and the one-call form."""

from __future__ import annotations

from typing import Any

from engine.estimators.estimate import Cost, Estimate, Health
from engine.estimators.estimator import Carry, Estimator
from engine.estimators.evolution import Evolution
from engine.estimators.first_order import FOMAML, Reptile
from engine.estimators.forward_mode import ForwardMode
from engine.estimators.implicit import Implicit
from engine.estimators.reinforce import Reinforce
from engine.estimators.self_tuning import SelfTuning
from engine.estimators.truncated import Truncated
from engine.estimators.unrolled import Unrolled
from engine.implementations import implementation_of
from engine.probes.memory import PeakBytes
from engine.problem import Meta, Problem
from engine.spec.estimator import Estimator as Options
from engine.spec.validation import validate_estimator

__all__ = [
    "FOMAML", "Carry", "Cost", "Estimate", "Estimator", "Evolution", "ForwardMode",
    "Health", "Implicit", "Reinforce", "Reptile", "SelfTuning", "Truncated", "Unrolled",
    "build_estimator", "estimate",
]  # fmt: skip

WHERE_TO_LOOK = (
    "`engine.preflight.preflight(problem, estimator, meta)` says which operation of the problem is "
    "to blame, and what works instead."
)


def build_estimator(spec: dict[str, Any] | Options) -> Estimator:
    """The estimator that `spec` describes, such as `{"kind": "truncated", "window": 10}`, or whose
    options it is.

    Raises `SpecError` for an unknown kind or option, or a value that is not allowed.
    """
    options = spec if isinstance(spec, Options) else validate_estimator(spec, proposes=False)
    return implementation_of(options, "kind")(**options.options())


def estimate(
    problem: Problem, estimator: Estimator | dict[str, Any], meta: Meta, *, seed: int = 0
) -> Estimate:
    """One meta-gradient of `problem` at θ = `meta`, with its cost (peak bytes too) and health.

    It is that of a whole inner loop, also where the estimator goes by windows in a run.
    `problem` is any object that meets the contract in `engine.problem`; `estimator` is an
    estimator or its spec as a dict; `seed` fixes the inner loop and the estimator's own draws.
    Raises `SpecError` for a bad spec and `ValueError` where the estimator cannot handle the
    problem.
    """
    if isinstance(estimator, dict):
        estimator = build_estimator(estimator)
    carry = estimator.start(problem, meta, seed)
    with PeakBytes(next(iter(meta.values())).device) as peak:
        try:
            result = estimator.whole_loop(problem, meta, carry)
        except RuntimeError as error:
            error.add_note(WHERE_TO_LOOK)
            raise
    result.cost.peak_bytes = peak.bytes
    return result
