"""Postgres, the broker and the web killed by SIGKILL while a run goes on and people watch it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any

from tests.faults.loose_lab import LooseLab, launched, patiently, wait_until
from tests.faults.proof import Figure
from tests.faults.truth import computed, doubled_or_missing, recorded
from tests.faults.watchers import Watchers, pages, proof_line, shown, wait_for_pages

AWAY_SECONDS = 5.0
WATCHED = {
    "inner": {"steps": 100},
    "outer": {"steps": 800, "optimizer": {"kind": "sgd", "learning_rate": 0.0001}},
    "probes": {"every": 100},
    "estimators": [{"kind": "unrolled"}],
    "seeds": [3],
}


def killed_broker(lab: LooseLab, chance: random.Random) -> dict[str, Figure]:
    """The broker is killed: a run goes on, what is launched meanwhile begins afterwards."""
    from webapp.runs.models import Run

    figures: dict[str, Figure] = {}

    def fault(run: Any) -> None:
        lab.ready_worker()
        lab.kill_service("valkey")
        before = _sequence(run.pk)
        time.sleep(AWAY_SECONDS)
        figures["points committed while it was away"] = _sequence(run.pk) - before
        later = launched(**{**WATCHED, "outer": {"steps": 5}})[0]
        figures["a launch without a broker"] = "waits"
        lab.start_service("valkey")
        back = time.monotonic()
        wait_until(lambda: Run.objects.get(pk=later.pk).started_at, seconds=180, what="it begins")
        figures["broker back to the begin of what was launched meanwhile"] = time.monotonic() - back

    return _watched_through(lab, fault, figures, attempts=1)


def killed_database(lab: LooseLab, chance: random.Random) -> dict[str, Figure]:
    """Postgres is killed: the run keeps its points until it is back, and goes on."""
    figures: dict[str, Figure] = {}

    def fault(run: Any) -> None:
        before = _sequence(run.pk)
        lab.kill_service("postgres")
        time.sleep(AWAY_SECONDS)
        began = time.monotonic()
        lab.start_service("postgres")
        back = time.monotonic()
        figures["start of Postgres to its first answer"] = back - began
        wait_until(lambda: (patiently(lambda: _sequence(run.pk)) or 0) > before, what="new points")
        figures["Postgres back to new points"] = time.monotonic() - back

    return _watched_through(lab, fault, figures, attempts=1)


def killed_web(
    lab: LooseLab, chance: random.Random, *, clients: int = 17, browsers: int = 3
) -> dict[str, Figure]:
    """The web is killed while twenty watch: their pages heal by themselves."""
    figures: dict[str, Figure] = {
        "watchers": f"{browsers} pages in Chromium, {clients} clients of the page's protocol"
    }

    def fault(run: Any) -> None:
        lab.kill_web()
        time.sleep(AWAY_SECONDS)
        began = time.monotonic()
        lab.start_web()
        figures["start of the web to its first answer"] = time.monotonic() - began

    return _watched_through(lab, fault, figures, attempts=1, clients=clients, browsers=browsers)


def _watched_through(
    lab: LooseLab,
    fault: Callable[[Any], None],
    figures: dict[str, Figure],
    *,
    attempts: int,
    clients: int = 3,
    browsers: int = 1,
) -> dict[str, Figure]:
    """A run, watched by pages that nobody touches, through `fault` to its end."""
    from webapp.runs.models import Run, Status

    # Playwright's event loop is this thread's, and only waits while the database is asked.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    lab.start_web()
    lab.ready_worker()
    run = launched(**WATCHED)[0]
    watchers = Watchers(lab, [run.pk], clients)
    try:
        with pages(lab, [run.pk], browsers) as opened:
            wait_until(lambda: _sequence(run.pk) > 50, what="the run goes on")
            wait_for_pages(opened, 50)
            wait_until(lambda: watchers.have(50), what="clients follow")
            fault(run)
            back = time.monotonic()
            reached = _sequence(run.pk)
            wait_until(lambda: watchers.have(reached), seconds=90, what="clients have caught up")
            figures["until every client had caught up"] = time.monotonic() - back
            wait_for_pages(opened, reached)
            figures["until every page had caught up"] = time.monotonic() - back
            wait_until(lambda: Run.objects.get(pk=run.pk).has_ended, seconds=240, what="ended")
            wait_until(watchers.see_end, seconds=30, what="clients see the end")
            for page in opened:
                page.wait_for_function(
                    "() => document.querySelector('[data-proof]').textContent.includes('complete')",
                    timeout=30_000,
                )
            figures["pages at the end"] = proof_line(opened[0])
    finally:
        watchers.stop()
        lab.stop_workers()
        lab.kill_web()
    ended = Run.objects.get(pk=run.pk)
    assert (ended.status, ended.attempt) == (Status.FINISHED, attempts), ended.error
    truth = computed(run.spec)
    assert recorded(run.pk) == truth, "the series differ"
    assert doubled_or_missing(run.pk) == 0
    for _, follower in watchers.followers:
        assert shown(follower, set(truth)) == truth, "a client shows something else"
    assert watchers.faults() == 0
    figures["points missing, doubled or different"] = 0
    return figures


def _sequence(run_id: int) -> int:
    from webapp.runs.models import Run

    return Run.objects.values_list("sequence", flat=True).get(pk=run_id)
