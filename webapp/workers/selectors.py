"""Reads: which workers live, what waits and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from webapp.runs.models import Run, Status
from webapp.workers.models import Worker

SILENCE = timedelta(seconds=30)
"""A worker that was silent this long counts as gone."""


def live_workers() -> QuerySet[Worker]:
    return Worker.objects.filter(heartbeat_at__gt=Now() - SILENCE)


def of_queue(queue: str) -> list[Worker]:
    """The living workers that take from `queue`."""
    return [worker for worker in live_workers() if queue in worker.queues.split(",")]


def queue_for(device: str) -> str:
    """The queue of a spec's `device`: `auto` takes a GPU where a worker has one."""
    if device == "cuda":
        return "gpu"
    if device == "cpu":
        return "cpu"
    return "gpu" if live_workers().filter(has_gpu=True).exists() else "cpu"


@dataclass(frozen=True)
class WaitingRun:
    """A queued run, its place in its queue (from 1) and why it has not begun."""

    run: Run
    position: int
    reason: str


def waiting_runs(limit: int = 200) -> list[WaitingRun]:
    """The queued runs, in the order in which workers are woken for them, at most `limit`."""
    slots: dict[str, int] = {}
    for worker in live_workers():
        for queue in worker.queues.split(","):
            slots[queue] = slots.get(queue, 0) + worker.slots
    runs = (
        Run.objects.filter(status=Status.QUEUED)
        .select_related("experiment__owner")
        .order_by("queue", "created_at", "pk")[:limit]
    )
    waiting: list[WaitingRun] = []
    positions: dict[str, int] = {}
    for run in runs:
        position = positions[run.queue] = positions.get(run.queue, 0) + 1
        reason = _reason(run.queue, position, slots.get(run.queue, 0))
        waiting.append(WaitingRun(run=run, position=position, reason=reason))
    return waiting


def _reason(queue: str, position: int, slots: int) -> str:
    if not slots:
        return f"No {queue.upper()} worker is connected."
    if position == 1:
        return "Next: begins as soon as a worker is free."
    before = position - 1
    return f"{before} run{'s' if before > 1 else ''} before it in the {queue.upper()} queue."


@dataclass(frozen=True)
class WorkerCard:
    """A worker that lives, with the runs that it holds."""

    worker: Worker
    runs: list[Run]

    @property
    def free_slots(self) -> int:
        return max(0, self.worker.slots - len(self.runs))


def worker_cards() -> list[WorkerCard]:
    """Every living worker; two queries, whatever their number."""
    held: dict[str, list[Run]] = {}
    running = Run.objects.filter(status=Status.RUNNING).select_related("experiment__owner")
    for run in running.order_by("started_at", "pk"):
        held.setdefault(run.worker, []).append(run)
    return [WorkerCard(worker, held.get(worker.name, [])) for worker in live_workers()]
