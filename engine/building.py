"""From an experiment's spec to the `Problem` that it describes."""

import math
from collections.abc import Callable
from typing import Any

import torch

from engine.compiled import Compiled
from engine.dynamical_system import DynamicalSystem
from engine.implementations import implementation_of
from engine.inner_optimizers import INNER_OPTIMIZERS
from engine.inner_tasks.quadratic_solution import SolvedQuadratic, has_closed_form
from engine.problem import Learner, Problem
from engine.spec import Experiment
from engine.spec.meta_parameters import MetaParameter

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
    return assembled(experiment, *parts_of(experiment))


def parts_of(experiment: Experiment) -> tuple[Any, list[Any]]:
    """The inner task and the meta-parameters of `experiment`, in the order in which they act.

    Raises as `build_problem` does.
    """
    task = _build_task(experiment)
    fixed = experiment.inner.optimizer.options()
    items = [
        implementation_of(item, f"meta_parameters.{index}.kind")(
            item, task=task, horizon=experiment.inner.steps, start=fixed.get(item.kind)
        )
        for index, item in _data_first(experiment)
    ]
    return task, items


def assembled(
    experiment: Experiment,
    task: Any,
    items: list[Any],
    *,
    compiling: Callable[[Problem], Problem] = Compiled,
) -> Problem:
    """The `Problem` that these parts make, by `compiling` where the spec has it compiled."""
    parts: dict[str, Any] = {
        "task": task,
        "fixed": experiment.inner.optimizer.options(),
        "meta_parameters": items,
        "horizon": experiment.inner.steps,
        "objective": experiment.objective,
        "traced": experiment.inner.program != "eager",
    }
    if experiment.inner_task.has_inner_loss:
        rules = [item for item in items if hasattr(item, "update")]
        optimizer = rules[0] if rules else INNER_OPTIMIZERS[experiment.inner.optimizer.kind]()
        parts |= {"optimizer": optimizer, "proximal": experiment.inner.proximal}
        usual = SolvedQuadratic if has_closed_form(task, optimizer, items) else Learner
        problem = getattr(task, "problem", usual)(**parts)
    else:
        problem = getattr(task, "problem", DynamicalSystem)(**parts)
    return compiling(problem) if is_compiled(experiment) else problem


def _data_first(experiment: Experiment) -> list[tuple[int, MetaParameter]]:
    """The meta-parameters with their places in the spec; what takes the place of the data comes
    before what changes these, in whatever order they are named."""
    items = enumerate(experiment.meta_parameters)
    return sorted(items, key=lambda item: item[1].slot != "dataset")


def is_compiled(experiment: Experiment) -> bool:
    """Whether the inner loop of `experiment` is compiled: by the spec alone, so that a run that
    goes on from a checkpoint has the bits of one that never stopped."""
    if experiment.inner.program != "auto":
        return experiment.inner.program == "compiled"
    shapes = experiment.inner_parameter_shapes().values()
    outer, parameters = experiment.outer, sum(math.prod(shape) for shape in shapes)
    steps = outer.steps * outer.meta_batch * experiment.inner.steps
    small = parameters <= MOST_PARAMETERS and device_of(experiment).type == "cpu"
    return small and steps >= FEWEST_STEPS


def _build_task(experiment: Experiment) -> Any:
    """The inner task, from the class that its options name."""
    options = experiment.inner_task
    build = implementation_of(options, "inner_task.kind")
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
