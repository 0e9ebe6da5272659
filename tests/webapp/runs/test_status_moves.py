"""The database itself refuses what the lab never does with a run's status."""

from contextlib import nullcontext

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from tests.webapp.factories import first_run, person
from webapp.runs.models import ENDS, Run, Status

pytestmark = pytest.mark.django_db

MOVES = {
    Status.QUEUED: {Status.RUNNING, Status.PAUSED, Status.CANCELLED},
    Status.RUNNING: {Status.QUEUED, Status.PAUSED, *ENDS},
    Status.PAUSED: {Status.QUEUED, Status.CANCELLED},
    Status.CANCELLED: {Status.QUEUED},
    Status.FAILED: {Status.QUEUED},
    Status.OUT_OF_BUDGET: {Status.QUEUED},
    Status.FINISHED: set(),
}


def looks_of(status: Status) -> dict[str, object]:
    """What a run with this status looks like, so that no other constraint refuses it."""
    return {
        "status": status,
        "lease_until": timezone.now() if status == Status.RUNNING else None,
        "finished_at": timezone.now() if status in ENDS else None,
    }


@pytest.fixture
def run() -> Run:
    return first_run(person("ada"))


def put(run: Run, status: Status) -> None:
    """A run that came to be with this status, as an import makes it."""
    experiment = run.experiment
    run.delete()
    for name, value in {**looks_of(status), "attempt": 1}.items():
        setattr(run, name, value)
    run.experiment, run.pk = experiment, None
    run.save(force_insert=True)


@pytest.mark.parametrize("before", Status)
def test_a_run_moves_only_where_the_lab_leads_it(run: Run, before: Status) -> None:
    for after in set(Status) - {before}:
        put(run, before)
        rises = {"attempt": F("attempt") + 1} if after == Status.RUNNING else {}
        refused = pytest.raises(IntegrityError, match=f"cannot go from {before} to {after}")
        with nullcontext() if after in MOVES[before] else refused, transaction.atomic():
            Run.objects.filter(pk=run.pk).update(**looks_of(after), **rises)


@pytest.mark.parametrize("rise", [0, 2])
def test_a_run_begins_to_run_with_the_next_attempt(run: Run, rise: int) -> None:
    with pytest.raises(IntegrityError, match=f"with attempt {rise} after attempt 0"):
        Run.objects.filter(pk=run.pk).update(
            **looks_of(Status.RUNNING), attempt=F("attempt") + rise
        )


def test_a_run_leaves_a_worker_with_the_attempt_that_it_had(run: Run) -> None:
    put(run, Status.RUNNING)
    with pytest.raises(IntegrityError, match="with attempt 2 after attempt 1"):
        Run.objects.filter(pk=run.pk).update(**looks_of(Status.QUEUED), attempt=2)
