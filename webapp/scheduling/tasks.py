"""What an idle worker does for a run that another one has."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from celery import Task, shared_task

from webapp.runs import shutdown
from webapp.runs.models import Run
from webapp.scheduling import parts, usage
from webapp.scheduling.claiming import next_for
from webapp.scheduling.waking import HELP

if TYPE_CHECKING:
    from engine.population import Evaluator

log = logging.getLogger(__name__)
_built: dict[tuple[int, int], Evaluator] = {}
"""Of the run that this process helped last: its problem need not be built for every population."""


@shared_task(name=HELP, bind=True)
def help_out(self: Task, population_id: str) -> None:
    """Evaluate parts of a population while there are any, its run goes on, and no run waits that
    this worker could take instead."""
    # Imported here: web processes read this module too, and must stay free of torch.
    from webapp.runs.memory_guard import MemoryGuard
    from webapp.scheduling.sharing import part_of

    worker, key = self.request.hostname or "worker", int(population_id)
    population = parts.wanted(key).select_related("run").first()
    if population is None:
        return
    run = population.run
    with MemoryGuard.of_worker(worker):
        evaluator, device = evaluator_of(run)
        metas = parts.unpacked(population.metas, device)
        while _goes_on(key, worker, run.queue):
            number = parts.take(key, worker)
            if number is None:
                return
            began = time.monotonic()
            try:
                part = part_of(metas, population.chunk, number)
                losses = evaluator(part, population.seed, population.chunk).detach().cpu()
            except Exception:
                # The run's own worker meets the same, or has what is lacking here.
                log.exception("Part %s of run %s could not be evaluated here.", number, run.pk)
                parts.put_back(key, number)
                return
            parts.fill(key, number, losses)
            seconds = time.monotonic() - began
            usage.add(owner_id=run.owner_id, queue=run.queue, seconds=seconds)


def _goes_on(population_id: int, worker: str, queue: str) -> bool:
    """Whether to help further: a run that waits comes first."""
    if shutdown.announced() or not parts.wanted(population_id).exists():
        return False
    return next_for(worker, queue) is None


def evaluator_of(run: Run) -> tuple[Evaluator, object]:
    """What evaluates the populations of `run` in this process, as in its own worker's; and where
    its tensors are."""
    import torch

    from engine.building import build_problem, device_of
    from engine.outer_loop import build_outer_loop
    from engine.spec import expand, validate

    [planned] = expand(validate(run.spec))
    torch.set_num_threads(planned.spec.threads)
    key = (run.pk, run.attempt)
    if key not in _built:
        _built.clear()
        loop = build_outer_loop(planned.spec, build_problem(planned.spec))
        _built[key] = loop.evaluator
    return _built[key], device_of(planned.spec)
