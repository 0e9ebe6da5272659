"""Summaries that an older version kept are computed anew from what is stored."""

from __future__ import annotations

import math
import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from engine.events import Point
from tests.webapp.factories import claimed, launched, measured, person
from webapp.runs import services, summaries
from webapp.runs.models import Run, Status
from webapp.runs.query import condition, parse

pytestmark = pytest.mark.django_db

STEPS = [
    {"meta_loss": 3.0, "cosine": 0.2, "gradient_norm": 5.0, "bias": math.nan},
    {"meta_loss": 1.0, "cosine": 0.9, "gradient_norm": 4.0, "bias": math.inf},
    {"meta_loss": 2.0, "cosine": 0.5, "gradient_norm": 9.0, "bias": 0.25},
    {"meta_loss": math.nan, "cosine": 0.7},
]


def of_an_older_version(run: Run) -> dict:
    """Its summary lacks the best of all but the meta-loss from now on; returns what it was."""
    whole = Run.objects.get(pk=run.pk).summary
    kept = {
        name: value
        for name, value in whole.items()
        if not name.startswith("best_") or name == "best_meta_loss"
    }
    Run.objects.filter(pk=run.pk).update(summary=kept)
    return whole


@pytest.fixture
def runs() -> list[Run]:
    """Four runs with the same points; all but the last have ended."""
    found = list(launched(person("ada")).runs.order_by("pk"))
    for run in found:
        measured(run, STEPS)
    for run in found[:-1]:
        services.finish(run_id=run.pk, attempt=1, status=Status.CANCELLED)
    return found


def recompute() -> str:
    said = StringIO()
    call_command("recompute_summaries", stdout=said)
    return said.getvalue().strip()


def bests_shown() -> list[str]:
    asked = "/runs/?status=cancelled&columns=run,cosine,bias&of=best"
    client = Client()
    client.force_login(Run.objects.first().owner)
    page = client.get(asked).content.decode()
    return re.findall(r'<td class="numeric">([^<]*)', page)


def found_by(query: str) -> int:
    owner = Run.objects.first().owner
    return Run.objects.filter(condition(parse(query), owner), status=Status.CANCELLED).count()


def test_the_table_shows_what_older_summaries_lack(runs: list[Run]) -> None:
    for run in runs[:-1]:
        whole = of_an_older_version(run)
    assert (bests_shown(), found_by("best_cosine>0.8")) == (["–"] * 6, 0)
    assert recompute() == "3 runs have ended; 3 have another summary now."
    assert (bests_shown(), found_by("best_cosine>0.8")) == (["0.900", "0.250"] * 3, 3)
    assert [Run.objects.get(pk=run.pk).summary for run in runs[:-1]] == [whole] * 3
    assert recompute() == "3 runs have ended; 0 have another summary now."


def test_a_run_that_goes_on_is_left_to_its_worker(runs: list[Run]) -> None:
    of_an_older_version(runs[-1])
    recompute()
    assert "best_cosine" not in Run.objects.get(pk=runs[-1].pk).summary


def test_what_no_series_says_stays(runs: list[Run]) -> None:
    Run.objects.filter(pk=runs[0].pk).update(summary={"of_another_version": 1.5})
    recompute()
    summary = Run.objects.get(pk=runs[0].pk).summary
    assert (summary["of_another_version"], summary["best_cosine"]) == (1.5, 0.9)


def test_series_in_several_chunks_come_to_the_same(runs: list[Run]) -> None:
    run = claimed(launched(runs[0].owner).runs.first())
    for step, values in enumerate([*STEPS, *reversed(STEPS)]):
        point = Point(run=0, step=step, values=values)
        services.record_points(run_id=run.pk, attempt=1, points=[point])
    Run.objects.filter(pk=run.pk).update(
        status=Status.CANCELLED, finished_at=run.started_at, lease_until=None
    )
    assert run.chunks.count() > len(STEPS), "not packed"
    whole = of_an_older_version(run)
    recompute()
    assert Run.objects.get(pk=run.pk).summary == whole


@pytest.mark.parametrize("kept", range(len(STEPS) + 1))
def test_a_rewound_run_comes_down_to_the_points_that_it_kept(kept: int) -> None:
    said = {"of_another_version": 1.5}
    whole, short = list(launched(person("bob")).runs.all())[:2]
    for run, steps in ((whole, [*STEPS, {"late": 1.0}]), (short, STEPS[:kept])):
        Run.objects.filter(pk=run.pk).update(summary=said)
        measured(run, steps)
    services.release(run_id=whole.pk, attempt=1)
    claimed(whole, resume_from=kept)
    services.finish(run_id=whole.pk, attempt=2, status=Status.CANCELLED)
    summary = Run.objects.get(pk=whole.pk).summary
    assert summary == Run.objects.get(pk=short.pk).summary
    assert summary["of_another_version"] == 1.5
    recompute()
    assert Run.objects.get(pk=whole.pk).summary == summary


def test_what_was_done_before_an_interruption_is_kept(runs: list[Run], monkeypatch) -> None:
    for run in runs:
        of_an_older_version(run)
    monkeypatch.setattr(summaries, "RUNS_AT_ONCE", 1)

    def interrupt(done: int, of: int) -> None:
        assert of == 3
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        summaries.recompute_all(interrupt)
    lack = ["best_cosine" not in Run.objects.get(pk=run.pk).summary for run in runs]
    assert lack == [False, False, True, True]
