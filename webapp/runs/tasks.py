"""Celery's way in. A message is a wake-up; whose turn it is stands in Postgres."""

from __future__ import annotations

from celery import Task, shared_task
from celery.signals import worker_process_init, worker_shutting_down

from engine.spec import validate
from webapp.runs import shutdown
from webapp.runs.models import Run
from webapp.runs.wake import EXECUTE


@shared_task(name=EXECUTE, bind=True)
def execute_run(self: Task, run_id: int) -> None:
    """Execute what waits in the queue of run `run_id`, first in line first, until nothing is left
    that this worker may take."""
    # Imported here: web processes read this module too, and must stay free of torch.
    from webapp.runs.execution import execute_next

    worker = self.request.hostname or "worker"
    for queue in Run.objects.filter(pk=run_id).values_list("queue", flat=True):
        while execute_next(queue, worker):
            pass


@worker_process_init.connect
def warm_up(**_: object) -> None:
    """Run the smallest experiment, so that the first real one finds torch loaded.

    In the pool's process, not in its parent, which must never touch CUDA; and on the CPU.
    """
    import engine

    smallest = {
        "inner_task": {"kind": "quadratic", "dimension": 1},
        "inner": {"steps": 1},
        "outer": {"steps": 1},
        "device": "cpu",
    }
    for _event in engine.run(validate(smallest)):
        pass


@worker_shutting_down.connect
def tell_the_pool(**_: object) -> None:
    """Runs go back to the queue with their checkpoint, instead of holding the shutdown up."""
    shutdown.announce()


@shared_task(name="runs.clear_checkpoints")
def clear_checkpoints() -> None:
    """Of runs that cannot go on any more; see `webapp.runs.checkpoint_retention`."""
    from webapp.runs.checkpoint_retention import clear_checkpoints

    clear_checkpoints()
