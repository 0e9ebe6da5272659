"""A run that cannot begin now stays queued, and is tried again later: others go on meanwhile.

When, stands in Postgres, so that it holds for every worker and survives all of them.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Case, DurationField, F, Value, When
from django.db.models.functions import Now

from webapp.runs.models import Run, RunEvent, Status
from webapp.runs.telling import hint, log
from webapp.scheduling.models import Backoff

FIRST = timedelta(seconds=10)
"""After the first failure; each further one doubles it."""
LONGEST = timedelta(minutes=10)
_MOST_DOUBLINGS = 6


def put_off(*, run_id: int, reason: str) -> None:
    """Let nobody take the queued run `run_id` for a while, because of `reason`, a sentence for
    people. Of several workers that failed at one moment, the first counts."""
    with transaction.atomic():
        # The lock first: two workers may fail at once, or somebody may cancel it now.
        run = Run.objects.select_for_update().filter(pk=run_id, status=Status.QUEUED).first()
        if run is None:
            return
        _, is_new = Backoff.objects.get_or_create(
            run=run, defaults={"failures": 0, "until": Now(), "reason": reason}
        )
        over = Backoff.objects.filter(run=run, until__lte=Now())
        if not over.update(failures=F("failures") + 1, until=Now() + _PAUSE, reason=reason):
            return
        if is_new:
            log(run, RunEvent.Level.WARNING, reason)
        hint(run_id)


def forget(run_id: int) -> None:
    """The run may be taken at once again."""
    Backoff.objects.filter(run=run_id).delete()


def reason_of(run: Run) -> str:
    """Why the queued `run` could not begin, until it does; empty where nothing kept it."""
    if run.status != Status.QUEUED:
        return ""
    held = Backoff.objects.filter(run=run)
    return held.values_list("reason", flat=True).first() or ""


_PAUSE = Case(
    *(
        When(failures=failures, then=Value(min(FIRST * 2**failures, LONGEST)))
        for failures in range(_MOST_DOUBLINGS)
    ),
    default=Value(LONGEST),
    output_field=DurationField(),
)
"""By the failures before this one."""
