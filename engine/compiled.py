"""An inner loop that runs in compiled chunks of several steps, forward and back.

A small step costs more in calls than in arithmetic. A chunk is one call: the operations of its
steps, fused by the compiler, and for the way back the operations of its adjoint

    (s_t, θ, λ_{t+k}) → λ_t, Σ λᵀ ∂Φ/∂θ      (with the losses inside the chunk, where they count),

traced once with automatic differentiation already done. The same values to rounding, in the
memory of the states between chunks: what a chunk needs inside is scratch memory of one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from engine import rolling, trees
from engine.compiler import FlatFunction, compiled
from engine.estimators import adjoint as stepwise
from engine.estimators.adjoint import PulledBack
from engine.probes.memory import follow
from engine.problem import Meta, Problem, State
from engine.program import StepProgram
from engine.trees import Leaves

MOST_STEPS = 32
MOST_OPERATIONS = 200
"""A chunk has at most so many steps and operations: the time of compiling grows with both."""


class Compiled:
    """`problem`, with a `roll` and a `pull_back` of its own; in everything else itself.

    Compiling takes seconds, at the first use. Where it fails, as on a machine without a C++
    compiler, the loop goes on step by step, and `health_notes` says why.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.health_notes: list[str] = []
        meta = problem.initial_meta(0)
        state = problem.initial_state(meta, 0)
        self._step = StepProgram(problem.step, state, meta)
        self._leaves, self._structure = pytree.tree_flatten((state, meta))
        self._form = _form(self._leaves)
        self.chunk = _chunk(problem.horizon, self._step.size)
        self._programs: dict[str, FlatFunction | None] = {}

    def __getattr__(self, name: str) -> Any:
        if name == "problem":
            raise AttributeError(name)
        return getattr(self.problem, name)

    def roll(self, state: State, meta: Meta, start: int, stop: int) -> tuple[State, Tensor | float]:
        """As `engine.rolling.roll`; what is left after whole chunks runs step by step."""
        chunks = self._chunks(start, stop)
        if not (chunks and self._applies(state, meta) and self._has("roll")):
            return rolling.roll(self.problem, state, meta, start, stop)
        leaves, structure = pytree.tree_flatten(state)
        theta, meta_loss = pytree.tree_leaves(meta), 0.0
        for t in chunks:
            *leaves, loss = self._run("roll", leaves, theta, t)
            meta_loss = meta_loss + loss
        state = pytree.tree_unflatten(leaves, structure)
        if chunks.stop < stop:
            end, loss = rolling.roll(self.problem, state, meta, chunks.stop, stop)
            state = trees.ordered(end, state)
        elif self._ends(stop):
            loss = self.problem.meta_loss(state, meta, stop)
        else:
            return state, meta_loss
        return state, meta_loss + loss

    def pull_back(
        self, state: State, meta: Meta, start: int, stop: int, adjoint: Leaves | None
    ) -> PulledBack:
        """As `engine.estimators.adjoint.pull_back`; the graph alive at once is that of the steps
        left after whole chunks."""
        chunks = self._chunks(start, stop)
        state, meta = trees.detached(state), trees.detached(meta)
        applies = chunks and self._applies(state, meta)
        if not (applies and self._has("roll") and self._has("pull back")):
            return stepwise.pull_back(self.problem, state, meta, start, stop, adjoint)
        leaves, structure = pytree.tree_flatten(state)
        theta, meta_loss = pytree.tree_leaves(meta), 0.0
        states = []
        for t in chunks:
            states.append(leaves)
            *leaves, loss = self._run("roll", leaves, theta, t)
            meta_loss = meta_loss + loss
        end = pytree.tree_unflatten(leaves, structure)
        rest = self._pull_back_rest(end, meta, chunks.stop, stop, adjoint)
        by_state, by_meta = rest.by_state, rest.by_meta
        for t in reversed(chunks):
            found = self._run("pull back", states.pop(), theta, t, by_state)
            by_state, by_chunk = found[: len(by_state)], found[len(by_state) :]
            by_meta = torch._foreach_add(by_meta, by_chunk)
        return PulledBack(
            end=trees.ordered(rest.end, end),
            meta_loss=rest.meta_loss + meta_loss,
            by_state=by_state,
            by_meta=by_meta,
        )

    def _pull_back_rest(
        self, state: State, meta: Meta, start: int, stop: int, adjoint: Leaves | None
    ) -> PulledBack:
        """What comes after the last whole chunk: further steps, or nothing but the meta-loss."""
        if start < stop:
            return stepwise.pull_back(self.problem, state, meta, start, stop, adjoint)
        split = trees.Split(state)
        by_state, meta_loss = adjoint, torch.zeros(())
        by_meta = [torch.zeros_like(leaf) for leaf in meta.values()]
        if self._ends(stop):
            leaves, theta = trees.tracked(split.leaves), trees.tracked(list(meta.values()))
            with torch.enable_grad():
                tracked_meta = dict(zip(meta, theta, strict=True))
                loss = self.problem.meta_loss(split.joined(leaves), tracked_meta, stop)
            found = trees.gradients([loss], [*leaves, *theta], [torch.ones_like(loss)])
            by_state, by_meta = found[: len(leaves)], found[len(leaves) :]
            meta_loss = loss.detach()
        elif adjoint is None:
            by_state = [torch.zeros_like(leaf) for leaf in split.leaves]
        return PulledBack(end=state, meta_loss=meta_loss, by_state=by_state, by_meta=by_meta)

    def _ends(self, stop: int) -> bool:
        """Whether s_stop is the state that the objective `final` judges."""
        return self.problem.objective == "final" and stop == self.problem.horizon

    def _chunks(self, start: int, stop: int) -> range:
        """First steps of the whole chunks; its `stop` is the first step that runs alone."""
        count = (stop - start) // self.chunk
        return range(start, start + count * self.chunk, self.chunk)

    def _applies(self, state: State, meta: Meta) -> bool:
        """Whether these are tensors of the compiled form, which nothing differentiates or maps."""
        leaves, structure = pytree.tree_flatten((state, meta))
        followed = torch.is_grad_enabled() and any(leaf.requires_grad for leaf in leaves)
        transformed = torch._C._are_functorch_transforms_active()
        # Programs know leaves by their places.
        same = structure == self._structure and _form(leaves) == self._form
        return not followed and not transformed and same

    def _has(self, name: str) -> bool:
        """Whether the program `name` could be compiled, which is tried once."""
        if name not in self._programs:
            try:
                self._programs[name] = compiled(*self._source(name))
            except Exception as error:  # of many kinds: no compiler, one too old, a full disk
                self._programs[name] = None
                reason = (str(error).strip().splitlines() or [""])[0]
                self.health_notes.append(
                    "the inner loop could not be compiled and runs step by step, more slowly "
                    f"({type(error).__name__}: {reason})"
                )
        return self._programs[name] is not None

    def _source(self, name: str) -> tuple[FlatFunction, list[Tensor]]:
        """What the program `name` is compiled from, with an example of its arguments."""
        inputs = [
            leaf.detach().clone(memory_format=torch.contiguous_format) for leaf in self._leaves
        ]
        inputs.append(self._step.step_number(0))
        if name == "roll":
            return self._roll_flat, inputs
        state, _ = pytree.tree_unflatten(inputs[:-1], self._structure)
        return self._pull_back_flat, inputs + [leaf.clone() for leaf in trees.Split(state).leaves]

    def _run(
        self, name: str, leaves: Leaves, theta: Leaves, t: int, adjoint: Sequence[Tensor] = ()
    ) -> Leaves:
        arguments = (*leaves, *theta, self._step.step_number(t), *adjoint)
        results = list(self._programs[name](*arguments))
        follow(results, arguments)
        return results

    def _roll_flat(self, *inputs: Tensor) -> list[Tensor]:
        """(s_t, θ, t) → (s_{t + chunk}, the losses inside, weighted)."""
        state, meta = pytree.tree_unflatten(inputs[:-1], self._structure)
        state, loss = self._chunk(state, meta, inputs[-1])
        return [*pytree.tree_flatten(state)[0], loss]

    def _pull_back_flat(self, *inputs: Tensor) -> list[Tensor]:
        """(s_t, θ, t, λ_{t + chunk}) → (λ_t, this chunk's part of ĝ)."""
        count = len(self._leaves)
        state, meta = pytree.tree_unflatten(inputs[:count], self._structure)
        split = trees.Split(state)
        leaves = trees.tracked(split.leaves)
        theta = trees.tracked(list(meta.values()))
        with torch.enable_grad():
            tracked_meta = dict(zip(meta, theta, strict=True))
            end, loss = self._chunk(split.joined(leaves), tracked_meta, inputs[count])
            outputs = [*trees.Split(end).leaves, loss]
            by_outputs = [*inputs[count + 1 :], torch.ones_like(loss)]
            used = [pair for pair in zip(outputs, by_outputs, strict=True) if pair[0].requires_grad]
            # With create_graph gradients add up out of place, as a compiler needs it.
            return list(
                torch.autograd.grad(
                    [output for output, _ in used], [*leaves, *theta], [by for _, by in used],
                    create_graph=True, allow_unused=True, materialize_grads=True,
                )
            )  # fmt: skip

    def _chunk(self, state: State, meta: Meta, t: Tensor) -> tuple[State, Tensor]:
        counts = self.problem.objective == "average"
        loss = torch.zeros((), dtype=next(iter(meta.values())).dtype, device=t.device)
        first = state
        for i in range(self.chunk):
            state = self._step(state, meta, t + i)
            if counts:
                loss = loss + self.problem.meta_loss(state, meta, t + i + 1) / self.problem.horizon
        return trees.ordered(state, first), loss


def _chunk(horizon: int, operations: int) -> int:
    """Steps of a chunk, in a program of so many operations a step: of the largest half of what is
    allowed, the number that leaves the fewest steps over at the horizon."""
    most = max(1, min(MOST_STEPS, MOST_OPERATIONS // operations, horizon))
    return min(range(most, most // 2, -1), key=lambda steps: horizon % steps)


def _form(leaves: Sequence[Tensor]) -> list[tuple[torch.Size, torch.dtype, torch.device]]:
    return [(leaf.shape, leaf.dtype, leaf.device) for leaf in leaves]
