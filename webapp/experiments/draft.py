"""A draft: a document that may or may not be an experiment yet, and what would run if it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import engine.data
from engine.spec import Experiment, FieldError, PlannedRun, SpecError, expand, validate
from webapp.experiments.plan import Plan, plan_of


@dataclass(frozen=True)
class MissingData:
    dataset: str
    command: str


@dataclass
class Draft:
    """Either `experiment` and its `runs`, or `errors`."""

    document: dict[str, Any]
    errors: list[FieldError] = field(default_factory=list)
    experiment: Experiment | None = None
    runs: list[PlannedRun] = field(default_factory=list)

    @property
    def plan(self) -> Plan:
        return plan_of(self.runs, list(self.experiment.sweep) if self.experiment else [])

    @property
    def inner_steps(self) -> int:
        """Inner steps of all runs together, without those of the probes."""
        return sum(_inner_steps(run.spec) for run in self.runs)

    @property
    def meta_parameter_counts(self) -> list[int]:
        return sorted({run.spec.meta_parameter_count() for run in self.runs})

    @property
    def missing_data(self) -> list[MissingData]:
        """Data sets that this machine does not have, with the command that fetches each."""
        named = {
            getattr(run.spec.inner_task, field, None)
            for run in self.runs
            for field in ("dataset", "text")
        }
        names = named & set(engine.data.NAMES)
        return [
            MissingData(name, engine.data.fetch_command(name))
            for name in sorted(names)
            if not engine.data.available(name)
        ]


def examine(document: dict[str, Any], errors: Iterable[FieldError] = ()) -> Draft:
    """Validate and expand `document`; `errors` are those that were found before."""
    found = list(errors)
    try:
        experiment = validate(document)
        runs = expand(experiment)
    except SpecError as error:
        return Draft(document, [*found, *error.errors])
    if found:
        return Draft(document, found)
    return Draft(experiment.model_dump(mode="json"), [], experiment, runs)


def _inner_steps(spec: Experiment) -> int:
    """A population pays for every one of its particles, a gradient for one pass.

    An outer step is an inner loop, a window of it, or the interval of a population that trains on.
    """
    estimator = spec.estimators[0]
    loops = getattr(estimator, "particles", None) or getattr(estimator, "population", None) or 1
    steps = getattr(estimator, "interval", None) or spec.inner.steps
    if estimator.partial:
        steps = estimator.window
    return loops * steps * spec.outer.steps * spec.outer.meta_batch
