"""Whether an estimator, or a search, can work with a problem."""

from __future__ import annotations

from typing import Any

import torch

from engine import trees
from engine.chunking import particles_together
from engine.estimators import Estimator, build_estimator
from engine.obstacle import Obstacle, errors
from engine.preflight.contract import FirstStep, Refused, first_step, warnings_and_errors
from engine.preflight.torch_words import fault, is_out_of_memory
from engine.preflight.trials import TRIALS
from engine.problem import Meta, Problem
from engine.spec.estimator import Estimator as Options
from engine.spec.estimator import Need
from engine.spec.estimators import Evolution
from engine.spec.installed import ESTIMATORS
from engine.spec.searches import Search
from engine.spec.validation import validate_estimator

WORDS: dict[Need, str] = {
    "start": "a backward pass through the initial state",
    "loss_gradient": "a gradient of the meta-loss",
    "adjoint": "a backward pass through an inner step",
    "inner_gradient": "a gradient of the inner loss",
    "curvature": "second derivatives of the inner loss",
    "tangents": "forward-mode derivatives of an inner step",
    "particles": "an inner step at several θ together",
}
ONE_BY_ONE = "evolution or a search with chunk 1"
"""What needs nothing but the contract."""
INSTEAD: dict[Need, str] = {
    "particles": "evolution or a search",
    "tangents": "forward_mode",
    "adjoint": "unrolled or truncated",
}
"""What to choose where a trial succeeds; tried in this order."""


def preflight(
    problem: Problem,
    estimator: Estimator | Options | dict[str, Any],
    meta: Meta,
    *,
    seed: int = 0,
    precision: str | None = None,
) -> list[Obstacle]:
    """What stands in the way of `estimator` on `problem` at θ = `meta`; nothing if all is well.

    `problem` is any object that meets the contract in `engine.problem`; `estimator` is an
    estimator, or the options or the spec (a dict) of one or of a search. Costs a few inner steps,
    changes no random number generator, and raises only where memory runs out, or `SpecError` for
    a bad spec. Where `precision` is given ("float32", "float64"), other formats are refused.
    """
    built, options = _built(estimator)
    meta = trees.detached(meta)
    devices = [leaf.device for leaf in meta.values() if leaf.is_cuda][:1]
    with torch.random.fork_rng(devices):
        return _obstacles(problem, built, options, meta, seed, precision)


def _built(estimator: Estimator | Options | dict[str, Any]) -> tuple[Estimator | None, Options]:
    """The estimator, nothing for a search, and its options."""
    if isinstance(estimator, Estimator):
        return estimator, estimator.options
    options = validate_estimator(estimator) if isinstance(estimator, dict) else estimator
    known = options.kind in ESTIMATORS and not options.proposes
    return build_estimator(options) if known else None, options


def _obstacles(
    problem: Problem,
    built: Estimator | None,
    options: Options,
    meta: Meta,
    seed: int,
    precision: str | None,
) -> list[Obstacle]:
    try:
        first = first_step(problem, meta, seed)
        found = list(warnings_and_errors(problem, meta, seed, first, precision))
    except Refused as refused:
        return [refused.obstacle]
    if errors(found):
        return found
    if built and (refused := _refused(problem, built)):
        return [*found, refused]
    for need in _needs(problem, options, meta, seed):
        found += _tried(need, options, problem, meta, seed, first)
    return found


def _needs(problem: Problem, options: Options, meta: Meta, seed: int) -> tuple[Need, ...]:
    """What `options` need on this problem: particles too large to go together go one by one."""
    if isinstance(options, Evolution | Search) and options.chunk is None:
        chunk = particles_together(problem, meta, seed, chunk=None, chunk_bytes=options.chunk_bytes)
        return options.model_copy(update={"chunk": chunk}).needs
    return options.needs


def _refused(problem: Problem, estimator: Estimator) -> Obstacle | None:
    """What the estimator itself says of the problem; searches take every problem."""
    need = estimator.options.title
    try:
        estimator.check(problem)
    except ValueError as error:
        operation = fault(error).operation
        return Obstacle(need=need, reason=str(error), operation=operation)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        found = fault(error)
        return Obstacle(need=need, reason=found.reason, operation=found.operation)
    return None


def _tried(
    need: Need, options: Options, problem: Problem, meta: Meta, seed: int, first: FirstStep
) -> list[Obstacle]:
    try:
        return TRIALS[need](problem, meta, seed, first)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        found = fault(error)
    ways = [found.rewrite] if found.rewrite else []
    if "chunk" in type(options).model_fields and not _alone(options).needs:
        ways.append("set chunk to 1, which takes particles one by one")
    works = {
        other: name
        for other, name in INSTEAD.items()
        if other != need and _works(other, problem, meta, seed, first)
    }
    if need != "particles" and "particles" not in works:
        works["particles"] = ONE_BY_ONE
    if works:
        ways.append(f"use {', or '.join(works.values())}, whose needs are met here")
    return [
        Obstacle(
            need=WORDS[need],
            reason=found.reason,
            operation=found.operation,
            cure="; or ".join(ways),
        )
    ]


def _alone(options: Options) -> Options:
    return options.model_copy(update={"chunk": 1})


def _works(need: Need, problem: Problem, meta: Meta, seed: int, first: FirstStep) -> bool:
    try:
        TRIALS[need](problem, meta, seed, first)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return False
    return True
