"""One meta-gradient of every estimator at the initial θ, against the oracle."""

from __future__ import annotations

from typing import Any

import torch

from engine import trees
from engine.building import build_problem
from engine.estimators import build_estimator, estimate
from engine.outer_loop import PROBE_DRAWS
from engine.plain import plain
from engine.probes.bias import accuracy
from engine.probes.oracle import oracle
from engine.problem import Meta, Problem
from engine.spec import Experiment
from engine.spec.estimators import AnyEstimator

MOST_LISTED_ENTRIES = 10_000


def compare_gradients(experiment: Experiment) -> dict[str, Any]:
    """The document that `python -m engine gradient --json` prints; its keys are in its help.

    Uses the first seed and no sweep. A search has no gradient: its entry has nothing in its place.
    """
    torch.set_num_threads(experiment.threads)
    problem = build_problem(experiment)
    seed = experiment.seeds[0]
    meta = problem.initial_meta(seed)
    exact: Meta | None = None
    described: dict[str, Any] = {}
    if experiment.probes.oracle:
        meta_loss, exact = oracle(problem, meta, seed)
        described = {
            "meta_loss": meta_loss,
            "gradient": _listed(exact),
            "norm": float(trees.flat(exact).norm()),
            "closed_form": hasattr(problem, "exact"),
        }
    entries = [
        _entry(problem, item, meta, exact, seed, experiment.probes.draws)
        for item in experiment.estimators
    ]
    return plain({"oracle": described, "estimators": entries})


def _entry(
    problem: Problem, item: AnyEstimator, meta: Meta, exact: Meta | None, seed: int, draws: int
) -> dict[str, Any]:
    spec = item.model_dump(mode="json")
    if item.proposes:
        note = "a search proposes θ and has no meta-gradient"
        return _row(spec, None, None, None, None, None, {"notes": [note]})
    estimator = build_estimator(spec)
    carry = estimator.start(problem, meta, seed)
    # The measured call comes first: it also pays for what torch prepares only once.
    peak_bytes = estimate(problem, estimator, meta, seed=seed).cost.peak_bytes
    timed, _ = estimator.estimate(problem, meta, carry)
    accurate: dict[str, float | None] = {}
    if exact is not None:
        repeated = range(PROBE_DRAWS, PROBE_DRAWS + draws) if item.stochastic else range(1)
        estimates = [
            estimator.estimate(problem, meta, {**carry, "draw": draw})[0] for draw in repeated
        ]
        flat = [trees.flat(one.gradient) for one in estimates]
        accurate = accuracy(flat, trees.flat(exact)).values()
    return _row(
        spec, timed.meta_loss, timed.gradient, accurate, peak_bytes, timed.cost.seconds,
        timed.health,
    )  # fmt: skip


def _row(
    spec: dict[str, Any],
    meta_loss: float | None,
    gradient: Meta | None,
    accurate: dict[str, float | None] | None,
    peak_bytes: int | None,
    seconds: float | None,
    health: Any,
) -> dict[str, Any]:
    accurate = accurate or {}
    return {
        "spec": spec,
        "meta_loss": meta_loss,
        **({} if (listed := _listed(gradient)) is None else {"gradient": listed}),
        "bias_relative": accurate.get("bias_relative"),
        "cosine": accurate.get("cosine"),
        "variance_relative": accurate.get("variance_relative"),
        "peak_bytes": peak_bytes,
        "seconds": seconds,
        "health": health,
    }


def _listed(gradient: Meta | None) -> dict[str, Any] | None:
    """Nested lists, left out where they would be too long to read."""
    if gradient is None or sum(leaf.numel() for leaf in gradient.values()) > MOST_LISTED_ENTRIES:
        return None
    return {name: leaf.tolist() for name, leaf in gradient.items()}
