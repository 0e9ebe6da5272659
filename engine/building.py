"""From an experiment's spec to the `Problem` that it describes."""

import math
from pkgutil import resolve_name
from typing import Any

import torch

from engine.compiled import Compiled
from engine.dynamical_system import DynamicalSystem
from engine.inner_optimizers import INNER_OPTIMIZERS
from engine.inner_tasks.quadratic_solution import SolvedQuadratic, has_closed_form
from engine.meta_parameters import META_PARAMETERS
from engine.problem import Learner, Problem
from engine.spec import Experiment

MOST_PARAMETERS = 10_000
FEWEST_STEPS = 1_000_000
"""`auto` compiles a learner of at most so many parameters, whose step costs more in calls than in
arithmetic, in a run of so many inner steps: what compiling saves is then a clear multiple of the
half minute that it may take."""


def build_problem(experiment: Experiment) -> Problem:
    """The inner loop and the meta-loss of `experiment`, on its device and in its precision.

    Raises `engine.data.DataMissing` where the data set has not been fetched, and `RuntimeError`
    where an installed package's task cannot be imported.
    """
    task = _build_task(experiment)
    fixed = experiment.inner.optimizer.options()
    parts: dict[str, Any] = {
        "task": task,
        "fixed": fixed,
        "meta_parameters": [
            META_PARAMETERS[item.kind](item, fixed.get(item.kind))
            for item in experiment.meta_parameters
        ],
        "horizon": experiment.inner.steps,
        "objective": experiment.objective,
        "traced": experiment.inner.program != "eager",
    }
    if experiment.inner_task.has_inner_loss:
        optimizer = INNER_OPTIMIZERS[experiment.inner.optimizer.kind]()
        parts |= {"optimizer": optimizer, "proximal": experiment.inner.proximal}
        learner = SolvedQuadratic if has_closed_form(task, optimizer) else Learner
        problem = learner(**parts)
    else:
        problem = getattr(task, "problem", DynamicalSystem)(**parts)
    return Compiled(problem) if is_compiled(experiment) else problem


def is_compiled(experiment: Experiment) -> bool:
    """Whether the inner loop of `experiment` is compiled: by the spec alone, so that a run that
    goes on from a checkpoint has the bits of one that never stopped."""
    if experiment.inner.program != "auto":
        return experiment.inner.program == "compiled"
    shapes = experiment.inner_task.parameter_shapes().values()
    outer, parameters = experiment.outer, sum(math.prod(shape) for shape in shapes)
    steps = outer.steps * outer.meta_batch * experiment.inner.steps
    small = parameters <= MOST_PARAMETERS and device_of(experiment).type == "cpu"
    return small and steps >= FEWEST_STEPS


def _build_task(experiment: Experiment) -> Any:
    """The inner task, from the class that its options name."""
    options = experiment.inner_task
    try:
        build = resolve_name(options.implementation)
    except (ImportError, AttributeError) as error:
        raise RuntimeError(
            f"inner_task.kind: the implementation of {options.kind!r}, {options.implementation}, "
            f"cannot be imported: {error}"
        ) from error
    return build(options, device=device_of(experiment), dtype=getattr(torch, experiment.precision))


def device_of(experiment: Experiment) -> torch.device:
    """The device that `experiment.device` names; `auto` takes CUDA where there is one.

    Raises `RuntimeError` for `cuda` on a machine without it.
    """
    if experiment.device == "cpu" or (
        experiment.device == "auto" and not torch.cuda.is_available()
    ):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise RuntimeError("device: this machine has no CUDA device; allowed: cpu, auto")
    return torch.device("cuda")
