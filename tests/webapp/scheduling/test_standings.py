"""What everybody uses of their quotas, in as many queries as for one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.webapp.factories import claimed, launched, person
from webapp.runs.models import Run
from webapp.scheduling import quotas
from webapp.scheduling.models import Quota, Usage

pytestmark = pytest.mark.django_db


def used_by(standings: list[quotas.Standing]) -> dict[str, float]:
    return {standing.bound: standing.used for standing in standings}


def test_each_is_told_what_is_theirs(django_assert_num_queries) -> None:
    people = ada, bob, eve = [person(name) for name in ("ada", "bob", "eve")]
    today = timezone.now().date()
    Usage.objects.create(owner=ada, day=today, queue="gpu", seconds=50.0)
    Usage.objects.create(owner=ada, day=today - timedelta(days=1), queue="gpu", seconds=9.0)
    Quota.objects.create(person=None, runs_at_once=4)
    Quota.objects.create(person=bob, runs_at_once=1)
    held = claimed(launched(bob).runs.first())
    since = timezone.now() - timedelta(days=2)
    Run.objects.filter(pk=held.pk).update(claimed_at=since)
    with django_assert_num_queries(3):
        found = quotas.standings_of_each(people)
    nothing = dict.fromkeys(quotas.BOUNDS, 0)
    assert used_by(found[ada.pk]) == {**nothing, "gpu_seconds": 50.0}
    assert used_by(found[eve.pk]) == nothing
    of_bob = used_by(found[bob.pk])
    assert (of_bob["runs_at_once"], of_bob["queued_runs"], of_bob["gpu_seconds"]) == (1, 3, 0)
    assert of_bob["cpu_seconds"] < timedelta(days=1).total_seconds(), "since midnight alone"
    allowed = {pk: standings[0].allowed for pk, standings in found.items()}
    assert allowed == {ada.pk: 4, bob.pk: 1, eve.pk: 4}
