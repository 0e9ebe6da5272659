"""The shape of what is sent."""

import json
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from tests.webapp.factories import claimed, first_run, person, points
from webapp.live import messages
from webapp.live.catch_up import Cursor, news
from webapp.runs import services
from webapp.runs.models import Run


def test_non_finite_values_are_words_because_json_has_none() -> None:
    steps = np.arange(10, 15)
    values = np.array([0.5, np.nan, 0.1, np.inf, -np.inf])
    message = messages.points(
        run_id=1, attempt=2, first=11, last=14, series={"meta_loss": (steps, values)}
    )
    assert json.loads(json.dumps(message, allow_nan=False)) == {
        "type": "points",
        "run": 1,
        "attempt": 2,
        "first": 11,
        "last": 14,
        "series": {"meta_loss": [[10, 11, 12, 13], [0.5, "nan", 0.1, "inf"]]},
    }


@pytest.mark.django_db
def test_the_remaining_time_is_extrapolated_from_the_elapsed() -> None:
    run = claimed(first_run(person("ada")))
    assert messages.state(run)["remaining_seconds"] is None, "nothing to extrapolate from yet"
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 5))
    run.refresh_from_db()
    told = messages.state(run, now=run.started_at + timedelta(seconds=10))
    assert (told["elapsed_seconds"], told["remaining_seconds"]) == (10.0, 30.0)
    services.finish(run_id=run.pk, attempt=1, status="failed", error="why")
    run.refresh_from_db()
    told = messages.state(run, now=timezone.now() + timedelta(hours=1))
    assert told["remaining_seconds"] is None
    assert told["elapsed_seconds"] < 60
    assert told["error"] == "why"


@pytest.mark.django_db
def test_a_queued_run_has_a_state_too() -> None:
    run = first_run(person("ada"))
    assert messages.state(run)["elapsed_seconds"] is None


@pytest.mark.django_db
def test_long_runs_come_in_messages_of_bounded_size() -> None:
    run = claimed(first_run(person("ada"), outer={"steps": 12_000}))
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 12_000))
    run = Run.objects.get(pk=run.pk)
    first = news(run, Cursor())
    sizes = [m["last"] - m["first"] + 1 for m in first.messages if m["type"] == "points"]
    assert sizes == [1000] * 5
    assert not first.complete
    second = news(run, first.cursor)
    third = news(run, second.cursor)
    assert third.complete
    assert third.cursor.sequence == 12_000
    assert news(run, third.cursor).messages == [], "nothing new, nothing said"
