"""The parts of a run's page that come by themselves: events, log, checkpoint, what may be done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from engine.events import Note
from tests.webapp.factories import claimed, first_run, person, points, signed_in
from webapp.accounts.models import User
from webapp.runs import pausing, services
from webapp.runs.models import Run, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(settings, tmp_path: Path) -> Client:
    """Ada, signed in."""
    settings.CHECKPOINT_ROOT = tmp_path
    return signed_in(person("ada"))


@pytest.fixture
def run(client: Client) -> Run:
    """Seven points, two sentences of its own, and a pause that somebody asked for."""
    ada = User.objects.get(username="ada")
    run = claimed(first_run(ada))
    said = [
        Note(run=0, step=3, level="warning", message="The residual grows."),
        Note(run=0, step=5, level="info", message="It shrinks <again>."),
    ]
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 7), notes=said)
    pausing.request_pause(user=ada, run=run)
    return run


def messages(client: Client, run: Run, **query: str) -> list[str]:
    html = client.get(f"/runs/{run.pk}/events/", query).content.decode()
    return re.findall(r'class="event-text">([^<]*)<', html)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["The residual grows.", "It shrinks &lt;again&gt;.", "ada asked to pause."]),
        ({"kind": "log"}, ["The residual grows.", "It shrinks &lt;again&gt;."]),
        ({"kind": "state"}, ["ada asked to pause."]),
        ({"level": "warning"}, ["The residual grows."]),
        ({"level": "info", "kind": "log"}, ["It shrinks &lt;again&gt;."]),
        ({"q": "SHRINKS again"}, ["It shrinks &lt;again&gt;."]),
        ({"q": "grows pause"}, []),
        ({"kind": "nothing"}, []),
        ({"q": "\x00", "kind": "\x00"}, []),
    ],
)
def test_events_are_found(
    client: Client, run: Run, query: dict[str, str], expected: list[str]
) -> None:
    assert messages(client, run, **query) == expected


def test_the_log_is_what_the_run_said(client: Client, run: Run) -> None:
    answer = client.get(f"/runs/{run.pk}/log.txt?download")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert f'filename="run-{run.pk}-log.txt"' in answer.headers["Content-Disposition"]
    lines = answer.content.decode().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("  warning  The residual grows.")
    assert lines[1].endswith("  info     It shrinks <again>.")
    assert "attempt 1  step 3       warning  " in lines[0]


def test_what_may_be_done_comes_anew(client: Client, run: Run) -> None:
    asked = client.get(f"/runs/{run.pk}/now/").content.decode()
    assert re.search(r" disabled>.*Pausing</button>", asked, re.DOTALL)
    services.keep_checkpoint(run_id=run.pk, attempt=1, step=7)
    pausing.pause(run_id=run.pk, attempt=1)
    paused = client.get(f"/runs/{run.pk}/now/").content.decode()
    assert f'action="/runs/{run.pk}/resume/"' in paused
    assert "Goes on from outer step 7" in paused
    assert paused.count('hx-swap-oob="true"') == 3


def test_a_run_is_paused_and_resumed_by_its_buttons(client: Client, run: Run) -> None:
    assert "pauses after its outer step" in posted(client, run, "pause")
    assert "Not resumed. It is not paused." in posted(client, run, "resume")
    pausing.pause(run_id=run.pk, attempt=1)
    assert "goes on from its checkpoint" in posted(client, run, "resume")
    run.refresh_from_db()
    assert run.status == Status.QUEUED
    assert "The run is paused." in posted(client, run, "pause")
    services.request_cancel(user=run.experiment.owner, run=run)
    assert "Not paused: the run is cancelled." in posted(client, run, "pause")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ("", "goes on from its checkpoint"),
        ("9", "goes on from its checkpoint"),
        ("2", "Give it a larger one"),
        ("-1", "budget.seconds"),
        ("much", "budget.seconds"),
        ("nan", "budget.seconds"),
    ],
)
def test_a_budget_is_read_from_the_form(client: Client, seconds: str, words: str) -> None:
    run = claimed(first_run(User.objects.get(username="ada"), budget={"seconds": 3.0}))
    services.record_points(run_id=run.pk, attempt=1, points=points(1, 7))
    services.keep_checkpoint(run_id=run.pk, attempt=1, step=7)
    services.finish(run_id=run.pk, attempt=1, status=Status.OUT_OF_BUDGET, error="no time")
    assert words in posted(client, run, "resume", seconds=seconds, bytes="")


def posted(client: Client, run: Run, action: str, **sent: str) -> str:
    answer = client.post(f"/runs/{run.pk}/{action}/", sent, follow=True)
    assert answer.redirect_chain == [(f"/runs/{run.pk}/", 302)]
    return answer.content.decode()


@pytest.mark.parametrize(
    ("left", "page"),
    [
        ("http://testserver/runs/{run}/?x=seconds&smoothing=0.9", "?x=seconds&smoothing=0.9"),
        ("http://testserver/runs/{run}/", ""),
        ("http://testserver/queue/?page=2", ""),
    ],
)
def test_an_action_leaves_the_charts_as_they_were_drawn(
    client: Client, run: Run, left: str, page: str
) -> None:
    answer = client.post(f"/runs/{run.pk}/pause/", headers={"referer": left.format(run=run.pk)})
    assert answer.headers["Location"] == f"/runs/{run.pk}/{page}"


def test_the_newest_checkpoint_is_a_file_to_take_along(
    client: Client, run: Run, tmp_path: Path
) -> None:
    assert client.get(f"/runs/{run.pk}/checkpoint/").status_code == 404
    folder = tmp_path / str(run.pk)
    folder.mkdir()
    for step in (5, 7):
        (folder / f"{step:09d}.pt").write_bytes(b"of step %d" % step)
    answer = client.get(f"/runs/{run.pk}/checkpoint/")
    assert b"".join(answer.streaming_content) == b"of step 7"
    assert f'filename="run-{run.pk}-step-7.pt"' in answer.headers["Content-Disposition"]
