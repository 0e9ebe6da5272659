"""Preflight of what a spec describes: one run, or every estimator of an experiment."""

from __future__ import annotations

from dataclasses import dataclass

from engine.building import build_problem, device_of
from engine.data import DataError
from engine.obstacle import Obstacle, errors
from engine.preflight.contract import Refused, tried
from engine.preflight.estimators import preflight
from engine.preflight.torch_words import fault, is_out_of_memory
from engine.problem import Problem
from engine.spec import Experiment, FieldError, SpecError
from engine.spec.estimator import Estimator
from engine.spec.estimators import Unrolled

ORACLE = Unrolled(storage="checkpoint")


@dataclass(frozen=True)
class Verdict:
    """What preflight says of one estimator of an experiment."""

    path: str
    """Its place in the spec, such as `estimators.1`."""
    estimator: Estimator
    obstacles: list[Obstacle]

    @property
    def ready(self) -> bool:
        return not errors(self.obstacles)


def built(experiment: Experiment) -> Problem:
    """The problem of `experiment`.

    Raises `Refused` where the code of the task fails, `engine.data.DataError` where data must be
    fetched first, and `RuntimeError` for a device that is not there.
    """
    device_of(experiment)
    try:
        return build_problem(experiment)
    except (DataError, SpecError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        found = fault(error)
        ways = [found.rewrite] if found.rewrite else []
        if _can_be_built_eagerly(experiment):
            ways.append("set inner.program to eager, which runs the step as it is written")
        raise Refused(
            Obstacle(
                need=f"the inner task {experiment.inner_task.kind}",
                reason=found.reason,
                operation=found.operation,
                cure="; or ".join(ways),
            )
        ) from error


def _can_be_built_eagerly(experiment: Experiment) -> bool:
    """Whether it is the recording of the step that fails, such as one that reads values."""
    inner = experiment.inner.model_copy(update={"program": "eager"})
    try:
        build_problem(experiment.model_copy(update={"inner": inner}))
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return False
    return True


def preflight_run(experiment: Experiment, problem: Problem) -> list[Obstacle]:
    """What stands in the way of a single-run experiment on `problem`, its probes' oracle too."""
    options, seed = experiment.estimators[0], experiment.seeds[0]
    try:
        meta = tried("the initial θ", lambda: problem.initial_meta(seed))
    except Refused as refused:
        return [refused.obstacle]
    precision = experiment.precision
    found = preflight(problem, options, meta, seed=seed, precision=precision)
    asks_oracle = experiment.probes.oracle and not options.proposes
    if errors(found) or not asks_oracle or hasattr(problem, "exact"):
        return found
    if "adjoint" in options.needs:
        return found
    for obstacle in errors(preflight(problem, ORACLE, meta, seed=seed)):
        found.append(
            Obstacle(
                need=f"the oracle ({obstacle.need})",
                reason=obstacle.reason,
                operation=obstacle.operation,
                cure="set probes.oracle to false",
            )
        )
    return found


def verdicts(experiment: Experiment) -> list[Verdict]:
    """What preflight says of every estimator at the spec's own values, sweeps aside.

    Raises as `built` does, without `Refused`.
    """
    found: list[Verdict] = []
    problem: Problem | None = None
    for index, estimator in enumerate(experiment.estimators):
        single = experiment.model_copy(update={"estimators": [estimator], "sweep": {}})
        try:
            problem = problem or built(experiment)
            obstacles = preflight_run(single, problem)
        except Refused as refused:
            obstacles = [refused.obstacle]
        found.append(Verdict(f"estimators.{index}", estimator, obstacles))
    return found


def refuse_what_cannot_run(experiment: Experiment) -> list[Verdict]:
    """`verdicts`, where none is an error; else raises `SpecError` with each at its estimator."""
    found = verdicts(experiment)
    if refused := [error for verdict in found for error in field_errors(verdict)]:
        raise SpecError(refused)
    return found


def field_errors(verdict: Verdict) -> list[FieldError]:
    return [
        FieldError(verdict.path, verdict.estimator.kind, str(obstacle))
        for obstacle in errors(verdict.obstacles)
    ]
