"""Where no worker lives, the beat finds the runs that the last one held."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from tests.webapp.factories import claimed, launched, person
from tests.webapp.worker_process import beat_process, wait_until
from webapp.runs.models import Run, Status
from webapp.runs.services import MOST_LOSSES, request_cancel
from webapp.workers.models import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]


def test_what_a_vanished_worker_held_is_put_back_or_ended(tmp_path: Path) -> None:
    ada = person("ada")
    lost, often_lost, unwanted, held = launched(ada).runs.order_by("number")
    for run in (lost, often_lost, unwanted, held):
        claimed(run)
    Run.objects.filter(pk=often_lost.pk).update(times_lost=MOST_LOSSES - 1)
    request_cancel(user=ada, run=unwanted)
    past = timezone.now() - timedelta(seconds=1)
    later = timezone.now() + timedelta(hours=1)
    going = Run.objects.filter(status=Status.RUNNING)
    going.exclude(pk=held.pk).update(lease_until=past)
    going.filter(pk=held.pk).update(lease_until=later)
    with beat_process(tmp_path) as beat:
        wait_until(lambda: going.count() == 1 or beat.poll() is not None, seconds=60, every=0.1)
    for run in (lost, often_lost, unwanted, held):
        run.refresh_from_db()
    assert lost.status == Status.QUEUED, (tmp_path / "beat.log").read_text()
    assert "vanished; the run is queued again." in lost.events.last().message
    assert often_lost.status == Status.FAILED
    assert often_lost.error == "Its worker vanished 3 times, most recently at outer step 0."
    assert unwanted.status == Status.CANCELLED
    assert held.status == Status.RUNNING
    assert not Worker.objects.exists()
