"""Celery's way in. A message is a wake-up: `execute` looks in Postgres whether there is a run."""

from __future__ import annotations

from celery import Task, shared_task
from celery.signals import worker_process_init, worker_shutting_down

from webapp.runs import shutdown
from webapp.runs.wake import EXECUTE


@shared_task(name=EXECUTE, bind=True)
def execute_run(self: Task, run_id: int) -> None:
    # Imported here: web processes read this module too, and must stay free of torch.
    from webapp.runs.execution import execute

    execute(run_id, worker=self.request.hostname or "worker")


@worker_process_init.connect
def load_the_engine(**_: object) -> None:
    """Import torch before the first run asks for it, in the pool's process, not in its parent."""
    import engine.runner  # noqa: F401


@worker_shutting_down.connect
def tell_the_pool(**_: object) -> None:
    """Runs go back to the queue with their checkpoint, instead of holding the shutdown up."""
    shutdown.announce()
