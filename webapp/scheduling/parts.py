"""The parts of a population in Postgres: made, taken once, filled, read in order.

Which worker takes which is left to chance; what comes out is not: a part is a chunk of the
population, whole, and the same wherever it is computed.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Now

from webapp.runs.models import Run, Status
from webapp.scheduling.models import Part, Population


def make(run: Run, metas: dict, seed: int, chunk: int, numbers: Iterable[int]) -> Population:
    """A population of `run` with parts of these numbers, for all to take."""
    with transaction.atomic():
        population = Population.objects.create(
            run=run, attempt=run.attempt, seed=seed, chunk=chunk, metas=packed(metas)
        )
        Part.objects.bulk_create(Part(population=population, number=n) for n in numbers)
    return population


def take(population_id: int, worker: str, *, late_after: float | None = None) -> int | None:
    """The number of a part that is now `worker`'s; None where none is left.

    With `late_after` seconds, one that somebody else took so long ago is taken over.
    """
    free = Part.objects.filter(population=population_id, losses=None)
    if late_after is None:
        free = free.filter(taken_at=None)
    else:
        free = free.filter(taken_at__lt=Now() - timedelta(seconds=late_after))
    with transaction.atomic():
        part = free.order_by("number").select_for_update(skip_locked=True).first()
        if part is None:
            return None
        Part.objects.filter(pk=part.pk).update(worker=worker, taken_at=Now())
    return part.number


def fill(population_id: int, number: int, losses: object) -> bool:
    """Keep what part `number` came to; False where somebody was faster, or nobody wants it now."""
    mine = Part.objects.filter(population=population_id, number=number, losses=None)
    return bool(mine.update(losses=packed(losses)))


def put_back(population_id: int, number: int) -> None:
    """Somebody else should try part `number`."""
    mine = Part.objects.filter(population=population_id, number=number, losses=None)
    mine.update(worker="", taken_at=None)


def wanted(population_id: int) -> QuerySet[Population]:
    """The population, while its run goes on and nobody has asked to cancel it; else none."""
    return Population.objects.filter(
        pk=population_id,
        run__status=Status.RUNNING,
        run__attempt=F("attempt"),
        run__cancel_requested=False,
    )


def at_work() -> dict[str, int]:
    """How many parts each worker has now, by its name."""
    taken = Part.objects.filter(losses=None).exclude(worker="")
    return dict(taken.values_list("worker").annotate(Count("pk")))


def packed(value: object) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def unpacked(data: bytes | memoryview, device: object = "cpu") -> object:
    import torch

    return torch.load(io.BytesIO(bytes(data)), map_location=device, weights_only=True)
