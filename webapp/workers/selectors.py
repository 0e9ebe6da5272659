"""Reads: which workers live, and which queue a spec goes to."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from webapp.workers.models import Worker

SILENCE = timedelta(seconds=30)
"""A worker that was silent this long counts as gone."""


def live_workers() -> QuerySet[Worker]:
    return Worker.objects.filter(heartbeat_at__gt=Now() - SILENCE)


def is_alive(worker: Worker) -> bool:
    return worker.heartbeat_at > timezone.now() - SILENCE


def of_queue(queue: str) -> list[Worker]:
    """The living workers that take from `queue`: a paused one takes nothing."""
    living = live_workers().filter(paused=False)
    return [worker for worker in living if queue in worker.queues.split(",")]


def queue_for(device: str) -> str:
    """The queue of a spec's `device`: `auto` takes a GPU where a worker has one."""
    if device == "cuda":
        return "gpu"
    if device == "cpu":
        return "cpu"
    return "gpu" if live_workers().filter(has_gpu=True).exists() else "cpu"
