"""The problems of specs and their traces, kept in the process.

Specs that differ in what a trace does not depend on (the horizon, a window, a number of particles)
share a subject, and are answered from the same traces.
"""

from __future__ import annotations

import json
from collections import OrderedDict

from engine.building import is_compiled
from engine.forecast.subjects import Subject, Tensors
from engine.spec import Experiment

MOST_SUBJECTS = 24
"""Kept at once: each holds the shapes of a problem, and may keep a data set in memory."""
_SUBJECTS: OrderedDict[str, Subject] = OrderedDict()


def subject_of(experiment: Experiment, tensors: Tensors = "fake") -> Subject:
    """The subject of `experiment`, made at the first call.

    Raises as `engine.building.build_problem` does.
    """
    key = _key(experiment, tensors)
    if key not in _SUBJECTS:
        _SUBJECTS[key] = Subject(experiment, tensors)
        while len(_SUBJECTS) > MOST_SUBJECTS:
            _SUBJECTS.popitem(last=False)
    _SUBJECTS.move_to_end(key)
    return _SUBJECTS[key]


def _key(experiment: Experiment, tensors: Tensors) -> str:
    """All of the spec that decides what a problem is made of."""
    content = experiment.model_dump(
        mode="json",
        include={"inner_task", "inner", "meta_parameters", "objective", "device", "precision"},
    )
    compiled = is_compiled(experiment)
    if not compiled and not has_entries_of_steps(experiment):
        content["inner"].pop("steps")
    return json.dumps([content, compiled, tensors], sort_keys=True)


def has_entries_of_steps(experiment: Experiment) -> bool:
    """Whether θ grows with the horizon."""
    longer = experiment.inner.model_copy(update={"steps": experiment.inner.steps + 1})
    grown = experiment.model_copy(update={"inner": longer}).meta_parameter_count()
    return grown > experiment.meta_parameter_count()


def forget() -> None:
    """Let go of all subjects."""
    _SUBJECTS.clear()
