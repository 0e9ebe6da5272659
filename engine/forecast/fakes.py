"""A problem whose tensors have shapes and storages but no values: nothing is allocated or computed.

The inner task is built for real, for what it reads from disk decides sizes; its tensors are then
replaced by fakes, and the learner is made of these by the code that makes every learner.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import MethodType
from typing import Any

import torch
from pydantic import BaseModel
from torch import Tensor
from torch._subclasses import FakeTensorMode

from engine.building import assembled, parts_of
from engine.compiled import Compiled
from engine.forecast.meter import Meter
from engine.forecast.uncompiled import Uncompiled
from engine.problem import Problem
from engine.spec import Experiment

OURS_IS_NOT = ("builtins", "torch", "numpy", "collections", "functools", "pathlib")
"""Packages whose objects are left as they are, apart from tensors."""


def fake_problem(experiment: Experiment, mode: FakeTensorMode | None) -> Problem:
    """The problem of `experiment`, made of fakes of `mode`; without one, of real tensors.

    Raises as `engine.building.build_problem` does, and what torch raises where an operation
    cannot be told from shapes alone.
    """
    parts = parts_of(experiment)
    if mode is None:
        return assembled(experiment, *parts, compiling=Uncompiled)
    task, items = _Copying(partial(mode.from_tensor, static_shapes=True))(parts)
    with mode, torch.no_grad(), Meter():
        return assembled(experiment, task, items, compiling=Uncompiled)


@contextmanager
def horizon(problem: Problem, steps: int) -> Iterator[None]:
    """`problem` with another horizon inside. It stays the same object, so that what was recorded
    of its steps is still its own."""
    whole = problem.problem if isinstance(problem, Compiled) else problem
    before = whole.horizon
    whole.horizon = steps
    try:
        yield
    finally:
        whole.horizon = before


def copied(problem: Problem) -> Problem:
    """`problem` with parts of its own, which share their tensors with it."""
    return _Copying(lambda tensor: tensor)(problem)


class _Copying:
    """A copy of objects and containers, with `of_tensor` of every tensor; each is copied once."""

    def __init__(self, of_tensor: Callable[[Tensor], Tensor]) -> None:
        self._of_tensor = of_tensor
        self._copies: dict[int, tuple[Any, Any]] = {}
        """What was copied, which keeps its identity taken, and its copy."""

    def __call__(self, given: Any) -> Any:
        if id(given) not in self._copies:
            made = self._copied(given)
            self._copies.setdefault(id(given), (given, made))
        return self._copies[id(given)][1]

    def _copied(self, given: Any) -> Any:
        if isinstance(given, Tensor):
            return self._of_tensor(given)
        if isinstance(given, dict):
            return {key: self(value) for key, value in given.items()}
        if isinstance(given, tuple) and hasattr(given, "_fields"):
            return type(given)(*map(self, given))
        if isinstance(given, list | tuple):
            return type(given)(map(self, given))
        if isinstance(given, MethodType):
            return MethodType(given.__func__, self(given.__self__))
        if _is_ours(given):
            made = copy.copy(given)
            self._copies[id(given)] = (given, made)
            for name, value in vars(given).items():
                object.__setattr__(made, name, self(value))
            return made
        return given


def _is_ours(given: Any) -> bool:
    package = type(given).__module__.partition(".")[0]
    plain = isinstance(given, type | BaseModel) or package in OURS_IS_NOT
    return hasattr(given, "__dict__") and not plain


def storages_of(problem: Problem) -> dict[int, int]:
    """Bytes of every storage that the parts of `problem` hold, by its address: the data."""
    found: dict[int, int] = {}
    seen: set[int] = set()

    def look(given: Any) -> None:
        if id(given) in seen:
            return
        seen.add(id(given))
        if isinstance(given, Tensor):
            storage = given.untyped_storage()
            found[storage._cdata] = storage.nbytes()
        elif isinstance(given, dict):
            for value in given.values():
                look(value)
        elif isinstance(given, list | tuple):
            for value in given:
                look(value)
        elif _is_ours(given):
            look(vars(given))

    look([getattr(problem, "task", None), getattr(problem, "meta_parameters", None)])
    return found
