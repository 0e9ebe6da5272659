"""A worker with room looks whether something waits that it may take, and wakes itself.

So a message that the broker lost, or that went to a worker for which a run is too large, leaves no
run waiting for longer than a pulse.
"""

from __future__ import annotations

from celery.utils.nodenames import worker_direct

from webapp.runs.wake import send, wake
from webapp.scheduling.claiming import free_slots, next_for
from webapp.workers.models import Worker

HELP = "scheduling.help"
HELP_SECONDS = 10.0
"""Help that comes later is not needed any more."""
RUNS = ("cpu", "gpu")
"""The queues that have runs."""


def wake_if_free(name: str) -> int:
    """Send worker `name` a message for each slot that could take a run; returns how many."""
    worker = Worker.objects.filter(name=name, paused=False).first()
    free = free_slots([worker])[name] if worker else 0
    if not free:
        return 0
    for queue in set(worker.queues.split(",")).intersection(RUNS):
        following = next_for(name, queue)
        if following is not None:
            wake([(following.run_id, queue)] * free, worker=name)
            return free
    return 0


def ask_for_help(population_id: int, workers: list[str]) -> None:
    """Ask each of `workers` for one slot, to evaluate parts of the population."""
    for worker in workers:
        send(HELP, [str(population_id)], queue=worker_direct(worker), expires=HELP_SECONDS)
