"""The exact meta-gradient g*, against which every estimate is measured."""

from __future__ import annotations

from functools import cached_property

import torch

from engine.building import build_problem
from engine.estimators.unrolled import Unrolled
from engine.problem import Meta, Problem
from engine.spec import Experiment


def oracle(problem: Problem, meta: Meta, seed: int) -> tuple[float, Meta]:
    """F(θ) and g*: in closed form where the problem has one, else by the checkpointed adjoint."""
    if hasattr(problem, "exact"):
        return problem.exact(meta, seed)
    exact = Unrolled(storage="checkpoint")
    estimate, _ = exact.estimate(problem, meta, exact.start(problem, meta, seed))
    return estimate.meta_loss, estimate.gradient


class Oracle:
    """The oracle of an experiment, in the precision that its probes ask for.

    In float64 the same inner loop is built a second time. Initial parameters, batches and noise
    are drawn in float64 and then rounded to a run's precision, so what it differs from the run's
    own inner loop by is rounding alone. On a CPU it takes 1.1 (small layers) to 2 times as long as
    in float32, and twice the memory; on a GPU without fast double precision far longer.
    """

    def __init__(self, experiment: Experiment, problem: Problem) -> None:
        self._experiment = experiment
        self._of_the_run = problem

    def __call__(self, meta: Meta, seed: int) -> tuple[float, Meta]:
        """F(θ) and g* at the run's θ = `meta`."""
        if self._experiment.probes.oracle_precision == "run":
            return oracle(self._of_the_run, meta, seed)
        in_double = {name: leaf.to(torch.float64) for name, leaf in meta.items()}
        return oracle(self._in_double, in_double, seed)

    @cached_property
    def _in_double(self) -> Problem:
        if self._experiment.precision == "float64":
            return self._of_the_run
        return build_problem(self._experiment.model_copy(update={"precision": "float64"}))
