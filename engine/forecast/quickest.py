"""Whether a trace computes values: where these take less time than shapes alone.

An operation on fakes takes about 140 µs, however small; one that the meter sees, 40 µs and its
arithmetic. Of the presets whose learners are small, traces with values take a half to a seventh of
the time. What they say differs by some bytes: tensors made of Python's numbers are no fakes.
"""

from __future__ import annotations

from engine.forecast.subject_cache import subject_of
from engine.forecast.subjects import Subject
from engine.spec import Experiment
from engine.spec.estimator import Estimator as Options

FLOPS_PER_SECOND, BYTES_PER_SECOND = 120e9, 110e9
"""Of the machine that `engine.forecast.costs` counts in: a choice by this one's speed would be
another one elsewhere."""
MOST_SECONDS = 50e-6
"""Of arithmetic, for an operation of a step."""
MOST_BYTES = 1e9
"""That a step moves: fakes need no memory, however large they are."""


def quickest_for_estimates(experiment: Experiment, options: Options) -> Subject:
    """The subject on which those of the estimator `options` take least time to trace.

    Raises as `engine.building.build_problem` does.
    """
    fakes = subject_of(experiment)
    outer = experiment.outer
    loops = 1 if outer.together == "one_by_one" else outer.meta_batch
    together = fakes.together(options, fakes.problem, experiment.inner.steps)
    return _quickest(experiment, fakes, loops * together)


def quickest_for_tests(experiment: Experiment) -> Subject:
    """The subject on which test figures and pictures take least time to trace."""
    return _quickest(experiment, subject_of(experiment), 1)


def _quickest(experiment: Experiment, fakes: Subject, together: int) -> Subject:
    """Where as many particles, tangents or inner loops go through a step at once."""
    step = fakes.step_work()
    arithmetic = step.flops / FLOPS_PER_SECOND + step.bytes_moved / BYTES_PER_SECOND
    # Together they take as many operations as one.
    is_little = (
        arithmetic * together <= MOST_SECONDS * step.operations
        and step.bytes_moved * together <= MOST_BYTES
    )
    with_values = is_little and fakes.device.type == "cpu"
    return subject_of(experiment, "computed") if with_values else fakes
