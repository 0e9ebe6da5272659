"""A compiled inner loop as a forecast sees it: chunks that give their results, with nothing in
between, and what they take.

What a compiler fuses costs its arithmetic and next to no call; a product of matrices is called as
before. The figures below are of eleven small problems on one thread of torch 2.13: chunks took
7 to 460 µs forward and 11 to 890 back, and 1 to 19 s to be compiled.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import torch
from torch.utils.flop_counter import flop_registry

from engine.compiled import Compiled
from engine.forecast import costs
from engine.forecast.meter import Meter, tell_meters
from engine.forecast.records import Work
from engine.probes.memory import follow
from engine.problem import Problem
from engine.trees import Leaves

CHUNK = 2.0
"""The call of a chunk by Python, in plain ones."""
FUSED = 0.015
"""Of an operation that is written into the loop of others."""
FUSED_BYTES = 0.7
"""Of those that it moves: results that others take up at once are not written."""
COMPILING = 2e6
"""Of compiling one program, the first time on a machine."""


class Fused(Meter):
    """Counts operations as what they are in a compiled chunk."""

    def _count(self, func: Any, args: tuple, kwargs: dict, result: Any, results: tuple) -> None:
        is_called = func._overloadpacket in flop_registry
        self._calls += costs.calls(func, args, self._at.way) if is_called else FUSED
        self._flops += costs.flops(func, args, kwargs, result)
        self._bytes += FUSED_BYTES * costs.bytes_moved(func, args, kwargs, results)


class Uncompiled(Compiled):
    """What `Compiled` leaves to be seen of its chunks: their results, and nothing in between."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._work: dict[str, Work] = {}
        """Of one call of each program, without those that a compiler could not make either."""
        for name in ("roll", "pull back"):
            function, inputs = self._source(name)
            with suppress(Exception):  # of many kinds, as in `Compiled`
                with Fused() as meter:
                    function(*inputs)
                self._work[name] = meter.work + Work(operations=CHUNK)

    def _has(self, name: str) -> bool:
        return name in self._work

    def _run(
        self, name: str, leaves: Leaves, theta: Leaves, t: int, adjoint: Leaves | tuple = ()
    ) -> Leaves:
        # A chunk gives tensors of the form of its arguments: (s, θ, t) → (s, ℓ), (s, θ, t, λ) →
        # (λ, ∂θ). What makes them is the one operation of a call.
        if name == "roll":
            results = [*map(torch.empty_like, leaves), torch.empty((), dtype=theta[0].dtype)]
        else:
            results = [torch.empty_like(leaf) for leaf in (*adjoint, *theta)]
        follow(results, (*leaves, *theta, *adjoint))
        tell_meters(self._work[name])
        return results


def compiling(estimate: Work) -> Work:
    """What a run of estimates such as this one spends on compiling: a program for the way forward,
    and one for the way back where derivatives of steps are pulled back."""
    programs = 2 if estimate.hessian_vector_products else 1
    return Work(operations=programs * COMPILING)
