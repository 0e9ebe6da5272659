"""From an experiment's spec to the `Problem` that it describes."""

import torch

from engine.inner_optimizers import INNER_OPTIMIZERS
from engine.inner_tasks import INNER_TASKS
from engine.inner_tasks.quadratic_solution import SolvedQuadratic, has_closed_form
from engine.meta_parameters import META_PARAMETERS
from engine.problem import Learner, Problem
from engine.spec import Experiment


def build_problem(experiment: Experiment) -> Problem:
    """The inner loop and the meta-loss of `experiment`, on its device and in its precision.

    Raises `engine.data.DataMissing` where the data set has not been fetched.
    """
    task = INNER_TASKS[experiment.inner_task.kind](
        experiment.inner_task,
        device=device_of(experiment),
        dtype=getattr(torch, experiment.precision),
    )
    fixed = experiment.inner.optimizer.options()
    parts = [
        META_PARAMETERS[item.kind](item, fixed.get(item.kind))
        for item in experiment.meta_parameters
    ]
    optimizer = INNER_OPTIMIZERS[experiment.inner.optimizer.kind]()
    learner = SolvedQuadratic if has_closed_form(task, optimizer) else Learner
    return learner(
        task=task,
        optimizer=optimizer,
        fixed=fixed,
        meta_parameters=parts,
        horizon=experiment.inner.steps,
        objective=experiment.objective,
    )


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
