"""The contract of estimators, and what they share: options, timing, health."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import torch

from engine import trees
from engine.estimators.diagnosis import diagnosis
from engine.estimators.estimate import Estimate
from engine.problem import Meta, Problem, State
from engine.spec.estimator import Estimator as Options
from engine.spec.validation import validate_options

Carry = dict[str, Any]
"""What an estimator takes from one call to the next; plain values and tensors."""


class Estimator(ABC):
    """Turns a `Problem` and θ into a meta-gradient.

    Its state is explicit: `carry` goes in and comes out, and nothing is kept on the object. The
    options are keyword-only and validated by the spec's model, which also declares the
    capabilities (`exact`, `stochastic`, …) that the compatibility rules read.
    """

    options_type: ClassVar[type[Options]]
    derivative: ClassVar[str] = "the adjoint"
    """What can overflow although every inner state is finite."""
    evaluates_whole_loops: ClassVar[bool] = False
    """Whether it only asks for F at many θ, as `engine.population.meta_losses` gives it."""

    def __init__(self, **options: Any) -> None:
        self.options = validate_options(self.options_type, options)

    def start(self, problem: Problem, meta: Meta, seed: int) -> Carry:
        """The carry of the first call. `seed` fixes the inner loop and the estimator's draws."""
        self.check(problem)
        return {"seed": seed, "draw": 0}

    def estimate(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[Estimate, Carry]:
        """The meta-gradient at θ = `meta`, and the carry of the next call."""
        meta = trees.detached(meta)
        estimate, following = _timed(meta, lambda: self.advance(problem, meta, carry))
        if not _examined(estimate):
            self._explain(estimate, problem, meta, self.inner_loop(problem, meta, carry))
        estimate.health.notes += getattr(problem, "health_notes", [])
        return estimate, {**following, "draw": carry["draw"] + 1}

    def whole_loop(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        """One estimate over a whole inner loop at θ = `meta`, started anew from the carry's seed
        and draw: what stands beside g*, and what the probes repeat.

        For most estimators it is `estimate`. One whose calls see a window each (its options say
        `partial`) takes all of the windows here.
        """
        meta = trees.detached(meta)

        def run() -> tuple[Estimate, Carry]:
            if self.options.partial:
                return self.meta_gradient(problem, meta, carry), carry
            return self.advance(problem, meta, carry)

        estimate, _ = _timed(meta, run)
        if not _examined(estimate):
            whole = Estimator.inner_loop(self, problem, meta, carry)
            self._explain(estimate, problem, meta, whole)
        estimate.health.notes += getattr(problem, "health_notes", [])
        return estimate

    def _explain(
        self, estimate: Estimate, problem: Problem, meta: Meta, seen: tuple[State, int, int]
    ) -> None:
        otherwise, adjoint_norm = self.derivative, estimate.health.adjoint_norm
        if adjoint_norm is not None:
            otherwise += f" (largest norm {adjoint_norm:.3g})"
        reason = diagnosis(problem, meta, *seen, otherwise=otherwise)
        estimate.health.notes.append(
            f"the meta-loss or the meta-gradient is not a finite number: {reason}"
        )

    def check(self, problem: Problem) -> None:  # noqa: B027 (most can handle every problem)
        """Raise `ValueError` where this estimator cannot handle `problem`."""

    def advance(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[Estimate, Carry]:
        """The mathematics, and the carry that it leaves; most estimators leave it as it was."""
        return self.meta_gradient(problem, meta, carry), carry

    def evaluated_at(self, problem: Problem, meta: Meta, carry: Carry) -> Meta | None:
        """The θ, along a leading axis, of the whole inner loops that the estimate from `carry`
        runs around θ = `meta`; nothing for an estimator that runs none. The carry of one that
        does has `chunk`, how many go together."""
        return None

    @torch.no_grad()
    def inner_loop(self, problem: Problem, meta: Meta, carry: Carry) -> tuple[State, int, int]:
        """The steps that one estimate sees: the state before them, the first, and the end."""
        return problem.initial_state(meta, carry["seed"]), 0, problem.horizon

    @abstractmethod
    def meta_gradient(self, problem: Problem, meta: Meta, carry: Carry) -> Estimate:
        """The mathematics, over a whole inner loop. `meta` is cut from any graph; `carry` has
        `seed` and `draw`. Where calls see a window each, `advance` is that of one call."""


def check_within_horizon(problem: Problem, name: str, length: int | None) -> None:
    """Raise `ValueError` for a window or segment longer than the inner loop."""
    if length is not None and length > problem.horizon:
        raise ValueError(f"{name}: {length} is longer than the horizon; at most {problem.horizon}")


def _timed(meta: Meta, run: Callable[[], tuple[Estimate, Carry]]) -> tuple[Estimate, Carry]:
    """What `run` returns, with the seconds it took."""
    _synchronize(meta)
    started = time.perf_counter()
    estimate, carry = run()
    _synchronize(meta)
    estimate.cost.seconds = time.perf_counter() - started
    return estimate, carry


def _examined(estimate: Estimate) -> bool:
    """Whether the estimate is finite, written into its health with the gradient's norm."""
    gradient_norm = float(trees.norm(list(estimate.gradient.values())))
    estimate.health.gradient_norm = gradient_norm
    estimate.health.finite = math.isfinite(gradient_norm) and math.isfinite(estimate.meta_loss)
    return estimate.health.finite


def _synchronize(meta: Meta) -> None:
    if any(leaf.is_cuda for leaf in meta.values()):
        torch.cuda.synchronize()
