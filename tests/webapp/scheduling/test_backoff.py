"""A run whose checkpoint is out of reach is tried again later, and others go on meanwhile."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.utils import timezone

from tests.webapp.factories import first_run, person, signed_in
from webapp.runs import pausing
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.execution import execute, execute_next
from webapp.runs.models import Priority, Run, RunEvent, Status
from webapp.scheduling.backoff import FIRST, LONGEST, put_off
from webapp.scheduling.models import Backoff
from webapp.workers import pulse
from webapp.workers.pulse import Machine
from webapp.workers.queue_page import queue_now

pytestmark = pytest.mark.django_db(transaction=True)
ALONE = {"seeds": [0], "estimators": [{"kind": "unrolled"}]}
REFUSED = "Its checkpoint cannot be read (Is a directory); it is tried again later."


@pytest.fixture(autouse=True)
def _checkpoints_of_every_step(settings, tmp_path: Path) -> None:
    settings.CHECKPOINT_ROOT = tmp_path / "checkpoints"
    settings.CHECKPOINT_SECONDS = 0


@pytest.fixture
def resumed() -> Run:
    """First in line, with five outer steps behind it."""
    run = first_run(person("ada"), **ALONE)
    store = CheckpointStore(run.pk)
    execute(run.pk, "cpu@host", must_stop=lambda: 5 in store.steps())
    Run.objects.filter(pk=run.pk).update(priority=Priority.HIGH)
    machine = Machine(device="2 CPU cores", has_gpu=False, memory_bytes=8 * 2**30)
    pulse.report(name="cpu@host", queues=["cpu"], slots=1, machine=machine)
    return run


@pytest.fixture
def behind(resumed: Run) -> Run:
    return first_run(person("bob"), **ALONE)


class Storage:
    """The folder of the checkpoints, which may go away and come back."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.names = CheckpointStore(run.pk).newest_first()
        self.root = CheckpointStore(run.pk).storage.root
        self.aside = self.root.with_name("aside")

    def refuse(self) -> None:
        """Every file is there, and cannot be read."""
        self.root.rename(self.aside)
        for name in self.names:
            (self.root / name).mkdir(parents=True)

    def vanish(self) -> None:
        """As where a disk is not mounted."""
        self.root.rename(self.aside)
        self.root.mkdir()

    def come_back(self) -> None:
        shutil.rmtree(self.root)
        self.aside.rename(self.root)


def statuses(*runs: Run) -> list[str]:
    return [Run.objects.get(pk=run.pk).status for run in runs]


def let_time_pass() -> None:
    assert Backoff.objects.update(until=timezone.now())


@pytest.mark.parametrize("how", [Storage.refuse, Storage.vanish])
def test_others_go_on_while_it_waits_and_then_it_goes_on_where_it_was(
    resumed: Run, behind: Run, how
) -> None:
    storage = Storage(resumed)
    how(storage)
    assert execute_next("cpu", "cpu@host")
    assert statuses(resumed, behind) == [Status.QUEUED, Status.FINISHED]
    assert not execute_next("cpu", "cpu@host"), "it is not tried again at once"
    let_time_pass()
    assert not execute_next("cpu", "cpu@host")
    assert Backoff.objects.get().failures == 2
    storage.come_back()
    let_time_pass()
    assert execute_next("cpu", "cpu@host")
    ended = Run.objects.get(pk=resumed.pk)
    assert (ended.status, ended.attempt, ended.resumes) == (Status.FINISHED, 2, [[2, 5]])
    assert not Backoff.objects.exists()


def test_it_says_why_on_its_page_and_in_the_queue(resumed: Run, behind: Run) -> None:
    storage = Storage(resumed)
    storage.refuse()
    execute(resumed.pk, "cpu@host")
    first, second = queue_now().waiting
    assert (first.run, second.run) == (behind, resumed), "others are before it"
    assert (second.reason, second.begins_words) == (REFUSED, "")
    page = f"/runs/{resumed.pk}/"
    client = signed_in(resumed.experiment.owner)
    assert REFUSED in client.get(page).content.decode().split('id="run-problem"')[1]
    storage.come_back()
    execute(resumed.pk, "cpu@host")
    assert "data-put-off" not in client.get(page).content.decode()


def test_an_older_checkpoint_that_can_be_read_will_do(resumed: Run) -> None:
    store = CheckpointStore(resumed.pk)
    newest = store.storage.root / store.newest_first()[0]
    newest.unlink()
    newest.mkdir()
    assert store.newest(at_most=20).step == 4


def test_each_failure_doubles_the_pause_up_to_a_longest(resumed: Run) -> None:
    pauses = []
    for _ in range(9):
        asked = timezone.now()
        put_off(run_id=resumed.pk, reason="Its disk is away.")
        # Of two workers at one moment, one counts.
        put_off(run_id=resumed.pk, reason="Its disk is away.")
        pauses.append(round((Backoff.objects.get().until - asked) / FIRST))
        let_time_pass()
    assert pauses == [1, 2, 4, 8, 16, 32, *[LONGEST // FIRST] * 3]
    told = RunEvent.objects.filter(run=resumed, message="Its disk is away.")
    assert told.count() == 1, "not with every failure"


def test_who_resumes_it_need_not_wait(resumed: Run) -> None:
    owner = resumed.experiment.owner
    put_off(run_id=resumed.pk, reason="Its disk is away.")
    pausing.request_pause(user=owner, run=resumed)
    paused = Run.objects.get(pk=resumed.pk)
    put_off(run_id=resumed.pk, reason="Nobody asks for it now.")
    pausing.resume(user=owner, run=paused)
    assert not Backoff.objects.exists()
    assert execute_next("cpu", "cpu@host")


def test_a_storage_that_deletes_nothing_costs_no_attempt(settings) -> None:
    run = first_run(person("ada"), **ALONE)
    # A folder where a file is expected.
    stays = settings.CHECKPOINT_ROOT / f"{run.pk}/000000099.pt"
    stays.mkdir(parents=True)
    assert execute(run.pk, "cpu@host")
    assert statuses(run) == [Status.FINISHED]
    assert stays.exists()
