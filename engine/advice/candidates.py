"""The estimators that are weighed for a problem: those of its spec, and every other kind with
options that suit the horizon. Free of torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.spec.errors import SpecError
from engine.spec.estimator import Estimator
from engine.spec.experiment import Experiment
from engine.spec.installed import ESTIMATORS
from engine.spec.validation import validate, validate_estimator

WINDOWS = 10
"""A window is a tenth of the horizon: as many as the presets have."""
VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "unrolled": ({"storage": "full"}, {"storage": "checkpoint"}, {"storage": "per_step"}),
    "truncated": ({"mode": "last_k"}, {"mode": "windows"}),
    "forward_mode": ({}, {"random_directions": 8}),
    "evolution": (
        {}, {"mode": "pes"}, {"mode": "noise_reuse"}, {"mode": "truncated_es"},
    ),
}  # fmt: skip
"""Options that make another estimator of the same kind; a kind that is not named has its own."""


class Candidate(NamedTuple):
    """An estimator for the problem."""

    estimator: Estimator
    refusals: tuple[str, ...]
    """Why the spec's rules refuse it; empty where they do not."""
    asked: bool
    """Whether the spec names it."""


def candidates(experiment: Experiment) -> list[Candidate]:
    """Those of the spec first; then every kind that is installed, each label once."""
    found: dict[str, Candidate] = {}
    for estimator in experiment.estimators:
        found.setdefault(estimator.label, Candidate(estimator, (), True))
    for estimator in _of_every_kind(experiment):
        if estimator.label not in found:
            refusals = _refusals(experiment, estimator)
            found[estimator.label] = Candidate(estimator, refusals, False)
    return list(found.values())


def _of_every_kind(experiment: Experiment) -> Iterator[Estimator]:
    horizon = experiment.inner.steps
    window = max(horizon // WINDOWS, 1)
    for kind, model in ESTIMATORS.items():
        for options in VARIANTS.get(kind, ({},)):
            lengths = {name: window for name in model.lengths if name in ("window", "interval")}
            if kind == "evolution" and "mode" not in options:
                lengths = {}
            if options == {"mode": "windows"} and experiment.objective == "final":
                # Only the last slice has a loss then: the same as the last steps.
                continue
            yield validate_estimator({"kind": kind, **lengths, **options})


def _refusals(experiment: Experiment, estimator: Estimator) -> tuple[str, ...]:
    document = experiment.model_dump(mode="json", exclude={"sweep", "estimators"})
    try:
        validate({**document, "estimators": [estimator.model_dump(mode="json")]})
    except SpecError as error:
        return tuple(dict.fromkeys(one.message for one in error.errors))
    return ()
