"""From an experiment to its runs: one estimator × one seed × one point of the sweep each."""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

from engine.spec.editing import assign
from engine.spec.errors import FieldError, SpecError
from engine.spec.experiment import Experiment
from engine.spec.labels import labels
from engine.spec.validation import validate

MOST_RUNS = 500
NOT_SWEPT = {"name", "seeds", "sweep"}


@dataclass(frozen=True)
class PlannedRun:
    """One run of an experiment. `spec` has one estimator, one seed and no sweep."""

    index: int
    spec: Experiment
    sweep: dict[str, Any]
    """The swept fields with the values of this run, by their path in the experiment."""
    label: str = ""
    """What it is called beside the others: runs of one label differ by their seed alone."""

    @property
    def seed(self) -> int:
        return self.spec.seeds[0]

    @cached_property
    def configuration(self) -> str:
        """A digest of everything but the seed and the name: runs that share it differ by seed."""
        content = self.spec.model_dump(mode="json", exclude={"seeds", "name"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def expand(experiment: Experiment) -> list[PlannedRun]:
    """The runs of `experiment`, in the order sweep point, estimator, seed.

    A sweep over one estimator's field leaves the others alone, so their runs appear once.
    Raises `SpecError` for a swept path or value that the schema refuses, or for too many runs.
    """
    document = experiment.model_dump(mode="json", exclude={"sweep"})
    count = prod(len(values) for values in experiment.sweep.values())
    if count * len(experiment.estimators) * len(experiment.seeds) > MOST_RUNS * 24:
        raise SpecError([_too_many(count)])
    points = itertools.product(*experiment.sweep.values())
    runs: dict[str, PlannedRun] = {}
    for values in points:
        sweep = dict(zip(experiment.sweep, values, strict=True))
        swept = _validate_point(document, sweep)
        for position, estimator in enumerate(swept.estimators):
            own = {path: v for path, v in sweep.items() if _concerns(path, position)}
            for seed in swept.seeds:
                spec = swept.model_copy(
                    update={"estimators": [estimator], "seeds": [seed], "sweep": {}}
                )
                key = spec.model_dump_json()
                runs.setdefault(key, PlannedRun(index=len(runs), spec=spec, sweep=own))
        if len(runs) > MOST_RUNS:
            raise SpecError([_too_many(count)])
    named = labels({run.configuration: (run.spec, run.sweep) for run in runs.values()})
    return [replace(run, label=named[run.configuration]) for run in runs.values()]


def _too_many(count: int) -> FieldError:
    return FieldError("sweep", f"{count} points", f"at most {MOST_RUNS} runs are allowed")


def _concerns(path: str, position: int) -> bool:
    parts = path.split(".")
    return parts[0] != "estimators" or parts[1] == str(position)


def _validate_point(document: dict[str, Any], sweep: dict[str, Any]) -> Experiment:
    point = copy.deepcopy(document)
    for path, value in sweep.items():
        _assign(point, path, value)
    try:
        return validate(point)
    except SpecError as error:
        raise SpecError(
            [
                FieldError(
                    f"sweep.{item.path}" if item.path in sweep else item.path,
                    item.given,
                    item.message,
                )
                for item in error.errors
            ]
        ) from None


def _assign(document: dict[str, Any], path: str, value: Any) -> None:
    try:
        if path.split(".")[0] in NOT_SWEPT:
            raise KeyError(path)
        assign(document, path, value)
    except (KeyError, IndexError, ValueError, TypeError):
        raise SpecError(
            [FieldError(f"sweep.{path}", value, "there is no such field to vary in this spec")]
        ) from None
