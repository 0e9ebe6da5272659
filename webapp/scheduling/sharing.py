"""A run has idle workers evaluate parts of its population.

The run's own worker takes parts like the others, from the same list, so it never waits for help
that does not come; a part that is out for long is computed here too, and whichever comes first
counts: they are the same (the backup tasks of Dean and Ghemawat, 2004, section 3.6).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from webapp.runs.models import Run, RunEvent
from webapp.runs.telling import log
from webapp.scheduling import parts
from webapp.scheduling.claiming import free_slots, room_of
from webapp.scheduling.line import first_in_line
from webapp.scheduling.models import Part, Population
from webapp.scheduling.waking import ask_for_help
from webapp.workers.selectors import of_queue

if TYPE_CHECKING:
    from torch import Tensor

    from engine.population import Evaluator
    from engine.problem import Meta

LEAST_SECONDS = 1.0
"""Below that, what others save is not worth asking them."""
MOST_BYTES = 64e6
"""A population of more takes longer to hand over than it is worth."""
LATE = 3.0
"""Times that a part usually takes, after which it is computed here too."""
LATE_SECONDS = 2.0
"""And at least that: a helper builds the problem first."""
LOOK_EVERY = 0.01


class Sharing:
    """Of one attempt. `check` is called while it waits, and raises where the run is lost."""

    def __init__(self, run: Run, check: Callable[[], None]) -> None:
        self.run = run
        self.check = check
        self.chunk_seconds: float | None = None
        self.parts = self.by_others = 0
        # What an attempt before this one left.
        Population.objects.filter(run=run).delete()

    def __call__(self, here: Evaluator) -> Evaluator:
        """`here`, with the help of whoever is idle."""

        def evaluate(metas: Meta, seed: int, chunk: int) -> Tensor:
            return self._evaluate(here, metas, seed, chunk)

        return evaluate

    def tell(self) -> None:
        """Say in the run's log what others did for it."""
        if self.by_others:
            share = f"{self.by_others:,} of {self.parts:,}"
            message = f"Idle workers evaluated {share} parts of its populations."
            log(self.run, RunEvent.Level.INFO, message)

    def _evaluate(self, here: Evaluator, metas: Meta, seed: int, chunk: int) -> Tensor:
        import torch

        particles = len(next(iter(metas.values())))
        numbers = list(range(-(-particles // chunk)))
        if len(numbers) < 2:
            return here(metas, seed, chunk)
        found: dict[int, Tensor] = {}

        def compute(number: int) -> Tensor:
            began = time.perf_counter()
            found[number] = here(part_of(metas, chunk, number), seed, chunk)
            self.chunk_seconds = time.perf_counter() - began
            return found[number]

        if self.chunk_seconds is None:
            # The first chunk says what the others take.
            compute(numbers.pop(0))
        if helpers := self._helpers(metas, len(numbers)):
            self._spread(helpers, metas, seed, chunk, numbers, compute, found)
        else:
            for number in numbers:
                compute(number)
        return torch.cat([found[number] for number in sorted(found)])

    def _helpers(self, metas: Meta, count: int) -> list[str]:
        """A worker's name for each of its idle slots, at most as many as there is work for; nobody
        while runs wait: a slot is theirs first."""
        size = sum(leaf.numel() * leaf.element_size() for leaf in metas.values())
        if (self.chunk_seconds or 0.0) * count < LEAST_SECONDS or size > MOST_BYTES or count < 2:
            return []
        if first_in_line(self.run.queue) is not None:
            return []
        return list(idle_slots(self.run))[: count - 1]

    def _spread(
        self,
        helpers: list[str],
        metas: Meta,
        seed: int,
        chunk: int,
        numbers: list[int],
        compute: Callable[[int], Tensor],
        found: dict[int, Tensor],
    ) -> None:
        on_cpu = {name: leaf.detach().cpu() for name, leaf in metas.items()}
        population = parts.make(self.run, on_cpu, seed, chunk, numbers)
        ask_for_help(population.pk, helpers)
        try:
            while True:
                number = parts.take(population.pk, self.run.worker)
                if number is None:
                    number = self._late(population)
                if number is None:
                    break
                parts.fill(population.pk, number, compute(number).detach().cpu())
            device = next(iter(metas.values())).device
            for part in Part.objects.filter(population=population):
                if part.number not in found:
                    self.by_others += 1
                    found[part.number] = parts.unpacked(part.losses, device)
            self.parts += len(numbers)
        finally:
            population.delete()

    def _late(self, population: Population) -> int | None:
        """Wait for what others have; the number of a part that is late, and now taken over."""
        patience = max(LATE * (self.chunk_seconds or 0.0), LATE_SECONDS)
        while Part.objects.filter(population=population, losses=None).exists():
            self.check()
            number = parts.take(population.pk, self.run.worker)
            if number is None:
                number = parts.take(population.pk, self.run.worker, late_after=patience)
            if number is not None:
                return number
            time.sleep(LOOK_EVERY)
        return None


def part_of(metas: Meta, chunk: int, number: int) -> Meta:
    """The particles of chunk `number`."""
    return {name: leaf[number * chunk : (number + 1) * chunk] for name, leaf in metas.items()}


def idle_slots(run: Run) -> Iterator[str]:
    """The name of a worker that could evaluate parts of `run`, for each slot that it has free."""
    able = [worker for worker in of_queue(run.queue) if room_of(worker) >= (run.needs_bytes or 0)]
    helping = parts.at_work()
    for name, free in free_slots(able).items():
        yield from [name] * (free - helping.get(name, 0))
