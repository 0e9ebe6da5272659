"""What is computed beside estimates through inner loops of its own: test figures, pictures, an
oracle in closed form, the meta-loss over a grid.

Their code is traced as that of estimators is: at two horizons, and where it goes through held-out
tasks, networks or epochs that the inner task's options count, at two numbers of these. Some of it
is prepared once in a run (a learning rate for Adam, a search through all architectures), so that
the first call and those after it are traced apart.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensor
from torch.overrides import TorchFunctionMode

from engine.compiled import Compiled
from engine.forecast.fakes import copied
from engine.forecast.meter import Meter
from engine.forecast.records import Work
from engine.forecast.sizes import Size, variants
from engine.forecast.structures import horizon_size
from engine.forecast.subjects import Subject
from engine.forecast.tracing import Trace
from engine.population import meta_losses
from engine.problem import Problem
from engine.spec.estimator import Estimator as Options

COUNTS = ("test_tasks", "test_episodes", "test_networks", "test_epochs")
"""Options of inner tasks: how often test figures repeat something."""

Call = Callable[[Problem], object]
Chosen = dict[str, int]


@dataclass(frozen=True)
class Beside:
    bytes: int
    """The peak of a call."""
    first: Work
    """Of the first call of a run."""
    each: Work
    """Of every further one."""

    def work(self, times: int, firsts: int = 1) -> Work:
        """Of `times` calls, of which `firsts` prepare something."""
        return self.first * firsts + self.each * (times - firsts)


def of_method(subject: Subject, method: str, *, steps: int, whole: bool = False) -> Beside:
    """Of `method(meta, seed)` of the problem, with an inner loop of `steps`; of a problem without
    it, nothing. With `whole`, it goes through all of the steps, as θ has an entry for each."""
    problem = _whole(subject)
    if not hasattr(problem, method):
        return Beside(0, Work(), Work())
    sizes = {"steps": Size(steps, steps, steps) if whole else horizon_size(steps, 1)}
    options = getattr(getattr(problem, "task", None), "options", None)
    for name in COUNTS:
        if count := getattr(options, name, 0):
            sizes[name] = Size(count, 2, 3)

    def calling(chosen: Chosen) -> Call:
        return lambda problem: getattr(problem, method)(subject.meta, subject.seed)

    return _grown(subject, method, sizes, calling)


def of_losses(subject: Subject, options: Options, *, count: int, steps: int) -> Beside:
    """Of the meta-loss at `count` values of θ, with as many of them together as in estimates."""
    together = subject.fitting(options, subject.problem, steps)
    sizes = {
        "steps": horizon_size(steps, 1),
        "points": Size(count, together, 2 * together),
    }

    def calling(chosen: Chosen) -> Call:
        points = chosen["points"]
        metas = {name: torch.stack([leaf] * points) for name, leaf in subject.meta.items()}
        return lambda problem: meta_losses(problem, metas, subject.seed, chunk=together)

    return _grown(subject, f"losses by {together}", sizes, calling)


def _whole(subject: Subject) -> Problem:
    """None of this runs compiled."""
    problem = subject.problem
    return problem.problem if isinstance(problem, Compiled) else problem


def _grown(
    subject: Subject, name: str, sizes: dict[str, Size], calling: Callable[[Chosen], Call]
) -> Beside:
    traces = [
        subject.once(
            (name, *chosen.items()), lambda chosen=chosen: _traced(subject, chosen, calling)
        )
        for chosen in variants(sizes)
    ]
    reached, first, _ = subject.lines([first for first, _ in traces]).at(sizes)
    _, each, _ = subject.lines([each for _, each in traces]).at(sizes)
    return Beside(reached.bytes, first, each)


def _traced(
    subject: Subject, chosen: Chosen, calling: Callable[[Chosen], Call]
) -> tuple[Trace, Trace]:
    """The first call and the next, of a copy of the problem that has prepared nothing yet."""
    problem = copied(_whole(subject))
    problem.horizon = chosen["steps"]
    counts = {name: value for name, value in chosen.items() if name in COUNTS}
    if counts:
        problem.task.options = problem.task.options.model_copy(update=counts)
    fake = subject.tensors == "fake"
    without_values = WithoutValues() if fake else nullcontext()
    found = []
    with subject.mode, torch.no_grad(), without_values:
        call = calling(chosen)
        for _ in range(2):
            with Meter(answers=fake) as meter:
                call(problem)
            found.append(Trace(meter.places, meter.work))
    first, each = found
    return first, each


class WithoutValues(TorchFunctionMode):
    """Ones, for whoever asks fakes for an array or a list of what they hold."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        if func in _VALUES and isinstance(args[0], FakeTensor):
            shape, dtype = tuple(args[0].shape), str(args[0].dtype).removeprefix("torch.")
            ones = np.ones(shape, dtype)
            return ones if func is torch.Tensor.numpy else ones.tolist()
        return func(*args, **(kwargs or {}))


_VALUES = (torch.Tensor.numpy, torch.Tensor.tolist)
