"""Who is next, whatever waits: priority, compute used today, age; memory; quotas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.webapp.factories import claimed, first_run, launched, person
from webapp.runs import services
from webapp.runs.models import Priority, Run, Status
from webapp.scheduling import usage
from webapp.scheduling.claiming import claim_next
from webapp.scheduling.line import age, first_in_line, whole_line
from webapp.scheduling.models import Quota, Usage
from webapp.workers import pulse
from webapp.workers.models import Worker
from webapp.workers.pulse import Machine
from webapp.workers.queue_page import queue_now

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
GB = 10**9


def worker(name: str, memory: float, *, slots: int = 1) -> None:
    machine = Machine(device="2 CPU cores", has_gpu=False, memory_bytes=int(memory))
    pulse.report(name=name, queues=["cpu"], slots=slots, machine=machine)


def owners(most: int = 99) -> str:
    names = dict(Run.objects.values_list("pk", "owner__username"))
    return "".join(names[turn.run_id][0] for turn in whole_line("cpu", most=most, now=NOON))


def claim(name: str = "cpu@host") -> str:
    run = claim_next(worker=name, queue="cpu", now=NOON)
    return run.owner.username[0] if isinstance(run, Run) else ""


def used(owner, seconds: float) -> None:
    Usage.objects.create(owner=owner, day=NOON.date(), queue="cpu", seconds=seconds)


@pytest.mark.django_db
def test_people_take_turns_and_a_line_says_so_beforehand() -> None:
    worker("cpu@host", 8 * GB)
    launched(person("ada"))
    launched(person("bob"))
    expected = owners()
    assert sorted(expected) == list("aaaabbbb")
    assert "aaa" not in expected
    assert "bbb" not in expected
    assert "".join(claim() for _ in range(8)) == expected
    assert claim() == ""


@pytest.mark.django_db
def test_who_used_less_today_comes_first_and_yesterday_is_forgotten() -> None:
    worker("cpu@host", 8 * GB)
    ada, bob = person("ada"), person("bob")
    launched(ada)
    launched(bob)
    used(ada, 130.0)
    # Her 130 s are two runs of unknown length and a bit: three of his come before hers.
    assert owners()[:3] == "bbb"
    Usage.objects.update(day=NOON.date() - timedelta(days=1))
    assert owners()[0] == "a", "launched first"


@pytest.mark.django_db
def test_priority_goes_before_fairness_and_an_admins_hand_before_all() -> None:
    ada, bob = person("ada"), person("bob")
    runs = list(launched(ada).runs.order_by("number"))
    launched(bob, seeds=[0])
    used(ada, 9999.0)
    for run, priority in zip(
        runs, (Priority.LAST, Priority.LOW, Priority.HIGH, Priority.FIRST), strict=True
    ):
        Run.objects.filter(pk=run.pk).update(priority=priority)
    line = [turn.run_id for turn in whole_line("cpu", most=9, now=NOON)]
    mine = [line.index(run.pk) for run in runs]
    assert mine == [5, 4, 1, 0]
    assert age(NOON + timedelta(hours=1)) == 0
    Run.objects.update(stands_at=NOON - timedelta(hours=25))
    assert age(NOON) == 2
    assert set(Run.objects.values_list("priority", flat=True)) == {2, 3, 4}


@pytest.mark.django_db
def test_a_run_that_needs_more_is_never_taken_by_a_small_slot_and_says_so() -> None:
    worker("small@host", 8 * GB, slots=2)
    large, small = (first_run(person(name), seeds=[0]) for name in ("ada", "bob"))
    Run.objects.exclude(pk__in=[large.pk, small.pk]).delete()
    Run.objects.filter(pk=large.pk).update(needs_bytes=9.2 * GB)
    Run.objects.filter(pk=small.pk).update(needs_bytes=4 * GB)
    reasons = {item.run.pk: item for item in queue_now().waiting}
    assert reasons[large.pk].reason == "Needs 9.2 GB; the largest CPU worker has 4.0 GB for a run."
    assert reasons[large.pk].begins_words == ""
    assert reasons[small.pk].begins_words == "at once"
    assert claim_next(worker="small@host", queue="cpu").pk == small.pk
    assert claim_next(worker="small@host", queue="cpu") is None
    worker("large@host", 16 * GB)
    # It is next there, before what came later: small runs pass it only where it does not fit.
    first_run(person("cyd"), seeds=[0])
    assert claim_next(worker="large@host", queue="cpu").pk == large.pk


@pytest.mark.django_db
def test_a_worker_that_is_paused_or_unheard_of_takes_nothing() -> None:
    first_run(person("ada"))
    assert claim_next(worker="cpu@host", queue="cpu") is None
    worker("cpu@host", 8 * GB)
    Worker.objects.update(paused=True)
    assert claim_next(worker="cpu@host", queue="cpu") is None


@pytest.mark.django_db
def test_runs_at_once_and_the_daily_compute() -> None:
    worker("cpu@host", 8 * GB)
    ada, bob = person("ada"), person("bob")
    launched(ada)
    Quota.objects.create(person=None, runs_at_once=1, cpu_seconds=100)
    assert claim() == "a"
    assert claim() == "", "one at once"
    reason = queue_now().waiting[0].reason
    assert reason == "ada has 1 run going, of 1 at once."
    Quota.objects.create(person=ada, runs_at_once=9)
    launched(bob)
    used(ada, 100.0)
    used(bob, 99.0)
    assert owners(1) == "b", "who is within the compute of today comes first"
    assert claim() == "b"
    assert claim() == "a", "behind, yet not refused where nobody else may begin"


@pytest.mark.django_db
def test_what_an_attempt_took_is_counted_once_for_today_alone() -> None:
    run = claimed(first_run(person("ada")))
    began = datetime.now(UTC) - timedelta(seconds=90)
    Run.objects.filter(pk=run.pk).update(claimed_at=began)
    services.release(run_id=run.pk, attempt=1)
    account = Usage.objects.get()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    expected = (datetime.now(UTC) - max(began, midnight)).total_seconds()
    assert account.seconds == pytest.approx(expected, abs=2.0)
    run = claimed(run)
    Run.objects.filter(pk=run.pk).update(claimed_at=NOON - timedelta(days=1))
    usage.charge(run.pk, now=NOON)
    assert Usage.objects.get(day=NOON.date()).seconds >= 12 * 3600


people = st.integers(0, 2)


class TestOrder(TestCase):
    @settings(max_examples=20)
    @given(
        waiting=st.lists(
            st.tuples(people, st.sampled_from(Priority.values), st.none() | st.integers(1, 5)),
            min_size=1,
            max_size=12,
        ),
        accounts=st.lists(st.integers(0, 200), min_size=3, max_size=3),
        room=st.integers(1, 6),
    )
    def test_a_claim_takes_what_a_plain_sort_has_first(self, waiting, accounts, room) -> None:
        runs = list(launched(person("root"), seeds=list(range(6))).runs.order_by("number"))
        everybody = [person(name) for name in ("ada", "bob", "cyd")]
        for owner, seconds in zip(everybody, accounts, strict=True):
            used(owner, seconds)
        for run, (owner, priority, needs) in zip(runs, waiting, strict=False):
            run.owner, run.priority, run.needs_bytes = everybody[owner], priority, needs
            run.save()
        Run.objects.filter(pk__in=[run.pk for run in runs[len(waiting) :]]).delete()

        def place(run: Run) -> tuple:
            hand = {Priority.FIRST: 0, Priority.LAST: 2}.get(run.priority, 1)
            plain = hand == 1
            seconds = accounts[everybody.index(run.owner)] if plain else 0
            return hand, -run.priority if plain else 0, seconds, run.stands_at, run.pk

        fitting = [run for run in runs[: len(waiting)] if (run.needs_bytes or 0) <= room]
        found = first_in_line("cpu", room=room, now=NOON)
        assert (found and found.run_id) == (min(fitting, key=place).pk if fitting else None)
        assert Run.objects.filter(status=Status.RUNNING).count() == 0
