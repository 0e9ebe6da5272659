"""One estimate of an estimator's own code, at given sizes, on a problem made of fakes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import torch

from engine.estimators import Estimator, ForwardMode
from engine.estimators.forward_mode import _push_forward
from engine.forecast.fakes import horizon
from engine.forecast.meter import Meter, Place, Reached
from engine.forecast.records import Work
from engine.problem import Meta, Problem
from engine.searches import Search
from engine.searches.cma_es import CMAES
from engine.searches.flattening import unflattened

COUNTS = ("inner_steps", "gradient_evaluations", "hessian_vector_products")


@dataclass(frozen=True)
class Trace:
    """What one estimate reached at every place of the estimator's code, and what it took."""

    places: dict[Place, Reached]
    work: Work
    kept: int = 0
    """Bytes that lie on afterwards: the estimator's carry."""


class Traced(Protocol):
    """What is traced: a θ, and the mode and the meter that its tensors need."""

    mode: AbstractContextManager
    meta: Meta
    seed: int

    def meter(self) -> Meter:
        """Anew for every measurement."""


def traced(
    subject: Traced,
    problem: Problem,
    part: Estimator | Search,
    *,
    steps: int,
    seeds: list[int],
    chunks: int | None = None,
    carried: bool = False,
) -> Trace:
    """An estimate, or a generation, of an inner loop of `steps`, the first of a run; or with
    `carried`, what it reached and the work of the one after it. `chunks` are as many chunks of
    tangents as forward mode takes."""
    # What an estimate records or prepares once is not its own.
    mode, meta = subject.mode, subject.meta
    with mode, horizon(problem, steps), subject.meter():
        run = _run(problem, part, meta, seeds, chunks)
        if getattr(part.options, "products", "") == "forward_over_reverse":
            run()
        elif part.options.kind == "fomaml":
            run()
            run = _run(problem, part, meta, seeds, chunks)
    with mode, horizon(problem, steps), subject.meter() as meter:
        counts = run()
    places = meter.places
    if carried:
        with mode, horizon(problem, steps), subject.meter() as meter:
            counts = run()
    counted = dict(zip(COUNTS, counts, strict=True))
    return Trace(places, meter.work + Work(**counted), meter.live)


def _run(
    problem: Problem, part: Estimator | Search, meta: Meta, seeds: list[int], chunks: int | None
) -> Callable[[], tuple[float, float, float]]:
    """What computes one estimate after another, and says what each counted."""
    if isinstance(part, Search):
        return _generations(problem, part, meta, seeds)
    carry = part.start(problem, meta, seeds[0])
    if isinstance(part, ForwardMode) and chunks is not None:
        return lambda: _first_chunks(problem, part, meta, carry, chunks)

    def estimate() -> tuple[float, float, float]:
        nonlocal carry
        found, carry = part.estimate(problem, meta, carry)
        cost = found.cost
        return tuple(float(getattr(cost, name)) for name in COUNTS)

    return estimate


def _first_chunks(
    problem: Problem, part: ForwardMode, meta: Meta, carry: dict[str, Any], count: int
) -> tuple[float, float, float]:
    """The way of the first `count` chunks of tangents, which all others go too."""
    tangents = 0
    with torch.no_grad():
        for directions in islice(part._directions(meta, carry), count):
            _, slopes = _push_forward(problem, meta, carry["seed"], directions)
            tangents += len(slopes)
    steps = float(problem.horizon)
    return steps * count, steps * count, steps * tangents


def _generations(
    problem: Problem, part: Search, meta: Meta, seeds: list[int]
) -> Callable[[], tuple[float, float, float]]:
    if isinstance(part, CMAES):
        # The library's own arrays are no tensors of torch.
        carry = {**Search.start(part, problem, meta, seeds[0]), "mean": meta, "deviation": meta}
        count, entries = part.options.population, sum(leaf.numel() for leaf in meta.values())
        points = torch.empty(count, entries, dtype=torch.float64)
        part.propose = lambda carry: unflattened(points, carry["mean"])
    else:
        carry = part.start(problem, meta, seeds[0])

    def generation() -> tuple[float, float, float]:
        nonlocal carry
        found, carry = part.evaluate(problem, carry, seeds)
        steps = float(found.inner_steps)
        return steps, steps, 0.0

    return generation
