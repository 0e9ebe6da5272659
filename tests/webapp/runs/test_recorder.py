"""The recorder: early first points, few commits, a lease that is held while nothing is said."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from tests.webapp.factories import claimed, first_run, person, points
from webapp.runs import recorder, services
from webapp.runs.models import Run, SeriesChunk
from webapp.runs.recorder import Recorder
from webapp.runs.services import LeaseLost

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Run:
    return claimed(first_run(person("ada"), outer={"steps": 1000}))


def wait_for(condition, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_first_point_is_committed_at_once_and_the_rest_in_batches(run: Run) -> None:
    with Recorder(run) as recording:
        made = points(1, 450)
        recording.add_point(made[0])
        assert Run.objects.get(pk=run.pk).sequence == 1
        for point in made[1:]:
            recording.add_point(point)
        recording.flush()
    flushes = SeriesChunk.objects.filter(run=run, name="meta_loss").count()
    assert Run.objects.get(pk=run.pk).sequence == 450
    assert flushes <= 4


def test_points_do_not_wait_for_the_next_outer_step(run: Run) -> None:
    with Recorder(run) as recording:
        for point in points(1, 2):
            recording.add_point(point)
        wait_for(lambda: Run.objects.get(pk=run.pk).sequence == 2, seconds=2)


def test_the_lease_is_renewed_and_the_flag_read_during_a_long_step(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(recorder, "RENEW_SECONDS", 0.1)
    soon = timezone.now() + timedelta(seconds=1)
    Run.objects.filter(pk=run.pk).update(lease_until=soon, cancel_requested=True)
    with Recorder(run) as recording:
        wait_for(lambda: recording.cancel_requested)
        assert Run.objects.get(pk=run.pk).lease_until > soon + timedelta(seconds=5)


def test_a_lost_lease_reaches_the_engines_thread(run: Run, monkeypatch) -> None:
    monkeypatch.setattr(recorder, "RENEW_SECONDS", 0.1)
    with Recorder(run) as recording:
        services.release(run_id=run.pk, attempt=run.attempt)

        def lost() -> bool:
            try:
                recording.check()
            except LeaseLost:
                return True
            return False

        wait_for(lost)
        with pytest.raises(LeaseLost):
            recording.flush()


@pytest.mark.parametrize("committed_before", [False, True])
def test_a_database_that_was_away_loses_and_doubles_nothing(
    run: Run, monkeypatch, committed_before: bool
) -> None:
    record, failures = services.record_points, []

    def unreliable(**arguments):
        if len(failures) < 2:
            failures.append(1)
            if committed_before and len(failures) == 1:
                record(**arguments)
            raise OperationalError("server closed the connection unexpectedly")
        return record(**arguments)

    monkeypatch.setattr(services, "record_points", unreliable)
    with Recorder(run) as recording:
        for point in points(1, 30):
            recording.add_point(point)
        recording.flush()
    run.refresh_from_db()
    assert run.sequence == 30
    assert len(failures) == 2
