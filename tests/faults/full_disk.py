"""The disk of the checkpoints is full: a run loses none of its points, and no checkpoint it has."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.killed_servers import WATCHED
from tests.faults.loose_lab import LooseLab, launched, wait_until
from tests.faults.proof import Figure
from tests.faults.truth import computed, doubled_or_missing, recorded

DISK = "256k"


@contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of its own, of a quarter of a megabyte; needs root, as `mount` does."""
    folder = Path(tempfile.mkdtemp(prefix="lab-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def full_disk(lab: LooseLab, chance: random.Random) -> dict[str, Figure]:
    """The disk is full at a checkpoint: the run goes on, pauses once there is room, and resumes."""
    from webapp.accounts.models import User
    from webapp.runs import pausing
    from webapp.runs.models import Run, Status

    if os.geteuid() != 0:
        return {"left out": "to mount a small disk, one must be root"}
    ada = User.objects.get(username="ada")
    with small_disk() as disk:
        lab.ready_worker(CHECKPOINT_ROOT=str(disk), CHECKPOINT_SECONDS="0")
        run = launched(**{**WATCHED, "outer": {**WATCHED["outer"], "steps": 400}})[0]

        def fresh() -> Run:
            return Run.objects.get(pk=run.pk)

        wait_until(lambda: (fresh().checkpoint_step or 0) > 3, what="a first checkpoint")
        ballast = disk / "ballast"
        told = run.events.filter(message__startswith="No checkpoint can be kept")
        wait_until(lambda: _filled(ballast) and told.exists(), what="the log says so")
        reason = told.get().message
        kept = fresh().checkpoint_step
        wait_until(lambda: fresh().sequence > kept + 100, what="it goes on")
        beyond = fresh().sequence - kept
        pausing.request_pause(user=ada, run=fresh())
        time.sleep(1.5)
        assert fresh().status == Status.RUNNING, "it does not let go without a checkpoint"
        ballast.unlink()
        room_at = time.monotonic()
        wait_until(lambda: fresh().status == Status.PAUSED, what="paused")
        paused_after = time.monotonic() - room_at
        assert run.events.filter(message="Checkpoints are kept again.").exists()
        pausing.resume(user=ada, run=fresh())
        wait_until(lambda: fresh().has_ended, seconds=240, what="ended")
        lab.stop_workers()
    ended = fresh()
    assert (ended.status, ended.attempt) == (Status.FINISHED, 2), ended.error
    assert recorded(run.pk) == computed(run.spec)
    assert doubled_or_missing(run.pk) == 0
    return {
        "what the log says": reason,
        "points past the last kept checkpoint, none lost": beyond,
        "room on the disk to the pause that was asked for": paused_after,
        "points missing, doubled or different": 0,
    }


def _filled(file: Path) -> bool:
    """Take what is left of the disk; again, where a checkpoint that went gave some back."""
    with file.open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(b"\0" * 1024)
    return True
