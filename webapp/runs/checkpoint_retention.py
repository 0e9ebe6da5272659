"""Which checkpoints are deleted, and when.

A running run keeps its last two (`webapp.runs.checkpoint_store`), a paused or waiting one and one
that is out of budget keep theirs: they go on from them. A cancelled or failed run keeps its own for
`CHECKPOINT_RETENTION_DAYS`. What is left of a finished or a deleted run goes at once.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from webapp.runs.checkpoint_storage import storage
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.models import Run, Status


def clear_checkpoints() -> list[int]:
    """Delete what is not needed any more; returns the runs whose checkpoints went."""
    place = storage()
    place.tidy()
    kept = {int(name.partition("/")[0]) for name in place.names()}
    runs = Run.objects.in_bulk(kept)
    gone = {run_id for run_id in kept if run_id not in runs}
    gone |= {run_id for run_id, run in runs.items() if run.status == Status.FINISHED}
    gone |= _given_up(kept - gone)
    for run_id in gone:
        CheckpointStore(run_id).delete()
    return sorted(gone)


def _given_up(run_ids: set[int]) -> set[int]:
    """Those of `run_ids` that ended long ago, and from now on cannot be resumed."""
    old = Run.objects.filter(
        pk__in=run_ids,
        status__in=(Status.CANCELLED, Status.FAILED),
        finished_at__lt=Now() - timedelta(days=settings.CHECKPOINT_RETENTION_DAYS),
    )
    # In the database first and one by one: who resumes one at this moment is before it or too late.
    return {
        run_id
        for run_id in list(old.values_list("pk", flat=True))
        if old.filter(pk=run_id).update(checkpoint_step=None)
    }
