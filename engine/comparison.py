"""One meta-gradient of every estimator at the initial θ, against the oracle."""

from __future__ import annotations

from typing import Any

import torch

from engine import trees
from engine.building import build_problem
from engine.estimators import build_estimator, estimate
from engine.outer_loop.descent import PROBE_DRAWS, SMOOTHED_DRAWS
from engine.plain import plain
from engine.population import generator
from engine.probes.bias import accuracy
from engine.probes.oracle import Oracle
from engine.probes.smoothing import smoothed_target
from engine.problem import Meta, Problem
from engine.spec import Experiment
from engine.spec.estimator import Estimator

MOST_LISTED_ENTRIES = 10_000
ACCURACY = (
    "bias", "bias_low", "bias_high",
    "bias_relative", "bias_relative_low", "bias_relative_high",
    "cosine",
    "variance", "variance_low", "variance_high",
    "variance_relative", "variance_relative_low", "variance_relative_high",
)  # fmt: skip
"""Against the oracle; the ends of an interval are there for an estimator that draws."""
MEASURED = ("meta_loss", *ACCURACY, "peak_bytes", "seconds")


def compare_gradients(experiment: Experiment) -> dict[str, Any]:
    """The document that `python -m engine gradient --json` prints.

    `oracle` has `meta_loss`, `norm`, `closed_form` and `gradient` (nothing where no oracle is asked
    for); `estimators` has for each its `spec`, the figures of `MEASURED`, `gradient` and `health`.
    Times are in seconds, memory in bytes; None is what was not measured, as for a search, which has
    no gradient. Uses the first seed and no sweep.
    """
    torch.set_num_threads(experiment.threads)
    problem = build_problem(experiment)
    seed = experiment.seeds[0]
    meta = problem.initial_meta(seed)
    exact: Meta | None = None
    described: dict[str, Any] = {}
    oracle = Oracle(experiment, problem)
    if experiment.probes.oracle:
        meta_loss, exact = oracle(meta, seed)
        described = {
            "meta_loss": meta_loss,
            "norm": float(trees.flat(exact).norm()),
            "closed_form": hasattr(problem, "exact"),
            **_listed(exact),
        }
    entries = [
        _entry(problem, item, meta, exact, oracle, experiment) for item in experiment.estimators
    ]
    return plain({"oracle": described, "estimators": entries})


def _entry(
    problem: Problem,
    item: Estimator,
    meta: Meta,
    exact: Meta | None,
    oracle: Oracle,
    experiment: Experiment,
) -> dict[str, Any]:
    seed, probes = experiment.seeds[0], experiment.probes
    row: dict[str, Any] = {"spec": item.model_dump(mode="json"), **dict.fromkeys(MEASURED)}
    if item.proposes:
        return {**row, "health": {"notes": ["a search proposes θ and has no meta-gradient"]}}
    estimator = build_estimator(row["spec"])
    carry = estimator.start(problem, meta, seed)
    # The measured call comes first: it also pays for what torch prepares only once.
    row["peak_bytes"] = estimate(problem, estimator, meta, seed=seed).cost.peak_bytes
    timed = estimator.whole_loop(problem, meta, carry)
    row |= {"meta_loss": timed.meta_loss, "seconds": timed.cost.seconds, "health": timed.health}
    row |= _listed(timed.gradient)
    if exact is not None:
        repeated = range(PROBE_DRAWS, PROBE_DRAWS + probes.draws) if item.stochastic else range(1)
        estimates = [
            estimator.whole_loop(problem, meta, {**carry, "draw": draw}) for draw in repeated
        ]
        flat = [trees.flat(one.gradient) for one in estimates]
        found = accuracy(flat, trees.flat(exact), seed=PROBE_DRAWS).values()
        row |= {name: found[name] for name in ACCURACY if name in found}
        if probes.smoothed_draws and item.smoothing is not None:
            target = smoothed_target(
                lambda theta: trees.flat(oracle(theta, seed)[1]),
                meta,
                sigma=item.smoothing,
                draws=probes.smoothed_draws,
                source=generator(seed, SMOOTHED_DRAWS),
            )
            row |= target.values(flat, trees.flat(exact))
    return row


def _listed(gradient: Meta) -> dict[str, Any]:
    """The gradient as nested lists, left out where it would be too long to read."""
    if sum(leaf.numel() for leaf in gradient.values()) > MOST_LISTED_ENTRIES:
        return {}
    return {"gradient": {name: leaf.tolist() for name, leaf in gradient.items()}}
