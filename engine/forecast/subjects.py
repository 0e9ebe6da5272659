"""The problem of a spec, as fakes or with values, with what was traced of it so far."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch
from torch._subclasses import FakeTensorMode

from engine.chunking import particles_together, tangents_together
from engine.compiled import Compiled
from engine.estimators import FOMAML, Estimator, Unrolled, build_estimator
from engine.forecast import checkpointed
from engine.forecast.fakes import fake_problem, horizon, storages_of
from engine.forecast.meter import Meter, Reached
from engine.forecast.records import Work
from engine.forecast.sizes import Lines, variants, with_part
from engine.forecast.structures import Structure, structure
from engine.forecast.tracing import Trace, traced
from engine.outer_loop.loop import SEED_STRIDE
from engine.outer_loop.meta_batch import meta_batch
from engine.problem import Problem
from engine.searches import Search, build_search
from engine.spec import Experiment
from engine.spec.estimator import Estimator as Options
from engine.spec.searches import Elites
from engine.trees import Split

MOST_COLUMNS = 64
"""Of a Hessian that is traced column by column."""

Tensors = Literal["fake", "computed", "measured"]
"""What traces run on: shapes alone; tensors with values, where whoever asks for one is answered as
with fakes, so that the code goes the same way; or tensors with values that answer themselves."""


class Subject:
    """The problem of an experiment, made of such `tensors`, with the traces of it so far."""

    def __init__(self, experiment: Experiment, tensors: Tensors = "fake") -> None:
        self.tensors = tensors
        self.mode: AbstractContextManager = nullcontext()
        if tensors == "fake":
            self.mode = FakeTensorMode(allow_non_fake_inputs=True)
        self.problem = fake_problem(experiment, self.mode if tensors == "fake" else None)
        self.seed = experiment.seeds[0]
        with self.mode, torch.no_grad(), self.meter():
            self.meta = {
                name: leaf.detach().clone()
                for name, leaf in self.problem.initial_meta(self.seed).items()
            }
        self.device = next(iter(self.meta.values())).device
        self.entries = sum(leaf.numel() for leaf in self.meta.values())
        self.meta_bytes = sum(leaf.numel() * leaf.element_size() for leaf in self.meta.values())
        self.data_bytes = sum(storages_of(self.problem).values())
        self._kept: dict[Any, Any] = {}

    def meter(self) -> Meter:
        return Meter(answers=self.tensors != "measured")

    def once(self, key: Any, compute: Any) -> Any:
        """What `compute` gives, computed at the first call with `key`."""
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]

    def step_work(self) -> Work:
        """Of one inner step, judged by the meta-loss."""
        whole = self.problem.problem if isinstance(self.problem, Compiled) else self.problem

        def work() -> Work:
            with self.mode, torch.no_grad(), self.meter() as meter:
                state = whole.initial_state(self.meta, self.seed)
                whole.meta_loss(whole.step(state, self.meta, 0), self.meta, 1)
            return meter.work

        return self.once("step", work)

    def lines(self, traces: list[Trace]) -> Lines:
        """Through `traces`, which are kept by `once`."""
        return self.once(("lines", *map(id, traces)), lambda: Lines(traces))

    def estimated(self, experiment: Experiment, options: Options) -> tuple[int, Problem, Work]:
        """How many inner loops one estimate goes through, these as one, and what it takes to make
        them so."""
        outer = experiment.outer
        if options.proposes or not options.averages or outer.meta_batch == 1:
            return 1, self.problem, Work()

        def build() -> tuple[int, Problem, Work]:
            with self.mode, torch.no_grad(), self.meter() as meter:
                found = meta_batch(experiment, self.problem, self.meta, averages=True)
            return *found, meter.work

        return self.once(("together", outer.meta_batch, outer.together), build)

    def needs(
        self,
        options: Options,
        problem: Problem,
        *,
        steps: int,
        objective: str,
        seeds: int = 1,
        carried: bool = False,
    ) -> tuple[Reached, Work, int]:
        """Peak, work and what is kept of one estimate, or generation, of `options`."""
        unit = problem.chunk if isinstance(problem, Compiled) else 1
        part = build_search(options) if options.proposes else build_estimator(options)
        if getattr(options, "storage", "") == "checkpoint":
            reached, work = self._checkpointed(part, problem, steps, objective)
            return reached, work, 0
        if getattr(options, "solver", "") == "exact":
            entries, matrix_bytes = self.once((id(problem), "moved"), lambda: self._moved(problem))
            if entries > MOST_COLUMNS:
                # A product for every column, as conjugate gradients take one an iteration; and at
                # once the basis, the matrix, its symmetric part and its eigenvectors.
                several = options.model_copy(update={"solver": "cg", "iterations": entries})
                reached, work, kept = self.needs(
                    several, problem, steps=steps, objective=objective, carried=carried
                )
                return with_part(reached, "solver", 4 * matrix_bytes), work, kept
        if isinstance(part, Search) and type(part).evaluate is Search.evaluate:
            options = _evaluated_alike(options)
        grows = structure(
            options,
            horizon=steps,
            unit=unit,
            together=self.together(options, problem, steps),
            entries=self.entries,
            seeds=seeds,
            objective=objective,
        )
        traces = [
            self._trace(options, problem, grows, chosen, seeds, carried)
            for chosen in variants(grows.sizes)
        ]
        return self.lines(traces).at(grows.sizes)

    def _trace(
        self,
        options: Options,
        problem: Problem,
        grows: Structure,
        chosen: dict[str, int],
        seeds: int,
        carried: bool,
    ) -> Trace:
        changed = options.model_copy(update=grows.options(chosen))
        steps, chunks = grows.steps(chosen), grows.chunks(chosen)
        loops = [
            self.seed + SEED_STRIDE * index
            for index in range(grows.loops(chosen) if grows.loops else seeds)
        ]
        key = id(problem), changed.model_dump_json(), steps, len(loops), chunks, carried
        build = build_search if options.proposes else build_estimator

        def trace() -> Trace:
            part: Estimator | Search = build(changed)
            return traced(
                self, problem, part,
                steps=steps, seeds=loops, chunks=chunks, carried=carried,
            )  # fmt: skip

        return self.once(key, trace)

    def _checkpointed(
        self, part: Unrolled | FOMAML, problem: Problem, steps: int, objective: str
    ) -> tuple[Reached, Work]:
        unit = problem.chunk if isinstance(problem, Compiled) else 1
        options = part.options
        # The last segment is an inner loop whose graph is kept in full.
        full = options.model_copy(
            update={"storage": "full", **_unset(options, "segment", "save_gradients", "offload")}
        )
        plain = options.model_copy(update=_unset(options, "segment"))
        found = self.once(
            (id(problem), "pieces", plain.model_dump_json()),
            lambda: checkpointed.pieces(self, problem, part, unit=unit),
        )

        def without(length: int) -> tuple[Reached, Work]:
            return self.needs(full, problem, steps=length, objective=objective)[:2]

        return checkpointed.whole(
            problem, part, found, steps=steps, unit=unit, without_checkpoints=without
        )

    def _moved(self, problem: Problem) -> tuple[int, int]:
        """Entries of the parameters that the inner loop moves, and bytes of their Hessian."""
        with self.mode, torch.no_grad(), self.meter():
            leaves = Split(problem.initial_state(self.meta, self.seed)["params"]).leaves
        entries = sum(leaf.numel() for leaf in leaves)
        return entries, entries**2 * leaves[0].element_size()

    def together(self, options: Options, problem: Problem, steps: int) -> int:
        """Particles, choices or tangents in one chunk: no more than there are."""
        if not hasattr(options, "chunk_bytes"):
            return 1
        if options.kind == "forward_mode":
            count = options.random_directions or self.entries
        else:
            count = getattr(options, _COUNTED.get(options.kind, "population"))
            # A generation also judges its incumbent.
            count += int(options.proposes)
        return min(self.fitting(options, problem, steps), count)

    def fitting(self, options: Options, problem: Problem, steps: int) -> int:
        """Particles, choices or tangents that go together where there are as many."""
        if options.chunk is not None:
            return options.chunk
        choose = tangents_together if options.kind == "forward_mode" else particles_together

        def chosen() -> int:
            with self.mode, torch.no_grad(), horizon(problem, steps), self.meter():
                return choose(
                    problem, self.meta, self.seed, chunk=None, chunk_bytes=options.chunk_bytes
                )

        return self.once((id(problem), choose.__name__, options.chunk_bytes), chosen)


_COUNTED = {"evolution": "particles", "reinforce": "samples"}
"""How options name the number of what goes together in chunks."""


def _evaluated_alike(options: Options) -> Options:
    """A search whose generations take what those of `options` do: searches of whole inner loops
    differ in how they draw their proposals alone, so one of them is traced for all."""
    return Elites(
        population=max(options.population, 2), elites=2,
        chunk=options.chunk, chunk_bytes=options.chunk_bytes,
    )  # fmt: skip


def _unset(options: Options, *names: str) -> dict[str, bool | None]:
    """Those of the options `names` that there are, as they are by themselves."""
    fields = type(options).model_fields
    return {name: fields[name].default for name in names if name in fields}
