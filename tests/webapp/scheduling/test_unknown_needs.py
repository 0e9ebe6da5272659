"""A run of which nobody knows what it needs waits for its forecast, and not for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.webapp.factories import claimed, first_run, launched, person
from webapp.runs.models import Run
from webapp.scheduling.claiming import FORECAST_SECONDS, claim_next
from webapp.workers import pulse
from webapp.workers.models import Worker
from webapp.workers.pulse import Machine
from webapp.workers.queue_page import queue_now

pytestmark = pytest.mark.django_db
GB = 10**9


def worker(name: str, memory: float, *, queue: str = "cpu") -> None:
    machine = Machine(device="2 CPU cores", has_gpu=False, memory_bytes=int(memory))
    pulse.report(name=name, queues=[queue], slots=1, machine=machine)


def alone(name: str) -> Run:
    """The one run of an experiment."""
    return first_run(person(name), seeds=[0], estimators=[{"kind": "unrolled"}])


def taken_by(name: str) -> int | None:
    run = claim_next(worker=name, queue="cpu")
    return run and run.pk


def stood_for(run: Run, seconds: float) -> None:
    Run.objects.filter(pk=run.pk).update(stands_at=run.stands_at - timedelta(seconds=seconds))


@pytest.fixture
def unknown() -> Run:
    """Of a lab with a small worker and a large one, and one that forecasts."""
    worker("small@host", 4 * GB)
    worker("large@host", 8 * GB)
    worker("forecast@host", GB, queue="forecast")
    return alone("ada")


def test_it_waits_for_its_forecast_and_says_so(unknown: Run) -> None:
    [item] = queue_now().waiting
    assert item.reason == "Waits for the forecast of its memory, 30 s at most."
    assert taken_by("large@host") is None
    known = alone("bob")
    Run.objects.filter(pk=known.pk).update(needs_bytes=GB)
    assert taken_by("large@host") == known.pk, "others go on meanwhile"
    Run.objects.filter(pk=unknown.pk).update(needs_bytes=GB)
    assert taken_by("small@host") == unknown.pk


def test_after_a_while_the_largest_idle_slot_takes_it(unknown: Run) -> None:
    stood_for(unknown, 2 * FORECAST_SECONDS)
    [item] = queue_now().waiting
    assert "the largest free slot takes it" in item.reason
    assert taken_by("small@host") is None
    assert taken_by("large@host") == unknown.pk


def test_where_no_forecast_will_come_the_largest_idle_slot_takes_it_at_once(unknown: Run) -> None:
    Run.objects.filter(pk=unknown.pk).update(forecast_given_up=True)
    [item] = queue_now().waiting
    assert "the largest free slot takes it" in item.reason
    assert taken_by("small@host") is None
    assert taken_by("large@host") == unknown.pk


@pytest.mark.parametrize("why", ["busy", "paused"])
def test_a_slot_that_cannot_take_it_keeps_it_from_nobody(unknown: Run, why: str) -> None:
    if why == "busy":
        claimed(alone("bob"), worker="large@host")
    else:
        Worker.objects.filter(name="large@host").update(paused=True)
    stood_for(unknown, 2 * FORECAST_SECONDS)
    assert taken_by("small@host") == unknown.pk


def test_larger_slots_are_looked_at_in_one_query(django_assert_max_num_queries) -> None:
    held = launched(person("ada"), seeds=list(range(10))).runs.all()
    unknown = alone("bob")
    for number, run in enumerate(held):
        claimed(run, worker=f"larger{number}@host")
        worker(f"larger{number}@host", 9 * GB)
    worker("small@host", 4 * GB)
    with django_assert_max_num_queries(20):
        assert taken_by("small@host") == unknown.pk


def test_where_nobody_forecasts_it_waits_for_nobody(unknown: Run) -> None:
    Worker.objects.filter(name="forecast@host").delete()
    assert taken_by("small@host") is None
    assert taken_by("large@host") == unknown.pk
