"""What happened to a run, told: a line among its events, and a hint to who follows it."""

from __future__ import annotations

from webapp.live import hints
from webapp.runs.models import Run, RunEvent


def log(run: Run, level: str, message: str) -> None:
    """Keep `message` among the events of `run`, at the outer step where it stands."""
    RunEvent.objects.create(
        run_id=run.pk,
        attempt=run.attempt,
        step=run.step,
        kind=RunEvent.Kind.STATE,
        level=level,
        message=message,
    )


def hint(run_id: int) -> None:
    """Tell the followers of a run, once the transaction is committed, that there is news."""
    sequence = Run.objects.filter(pk=run_id).values_list("sequence", flat=True).first()
    hints.send_after_commit(run_id, sequence or 0)
