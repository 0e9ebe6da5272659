"""A real Celery worker and a real beat in processes of their own, on the database of the tests."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from webapp.workers.models import Worker

PROJECT_ROOT = Path(settings.PROJECT_ROOT)


def wait_until(condition: Callable[[], object], *, seconds: float, every: float = 0.02) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(every)


def environment_of(folder: Path) -> dict[str, str]:
    """What a process of the lab reads that is on the database of the tests; `folder` is its own."""
    address, _, options = os.environ["DATABASE_URL"].partition("?")
    database = f"{address.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    return {
        **os.environ,
        "DATABASE_URL": f"{database}?{options}" if options else database,
        "CHECKPOINT_ROOT": str(folder / "checkpoints"),
        "CHECKPOINT_SECONDS": "0",
    }


@contextmanager
def beat_process(folder: Path) -> Iterator[subprocess.Popen]:
    """Killed at the end."""
    with (folder / "beat.log").open("w") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "webapp.celery", "beat"),
                *("--schedule", str(folder / "beat-schedule")),
            ],
            cwd=PROJECT_ROOT,
            env=environment_of(folder),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class WorkerProcess:
    """Starts on `with`, and returns once it takes runs; what is left is killed at the end."""

    def __init__(self, folder: Path, *, slots: int = 1) -> None:
        self.slots = slots
        self.name = f"test-{uuid.uuid4().hex[:8]}"
        self.folder = folder
        self.log = folder / f"{self.name}.log"

    def __enter__(self) -> "WorkerProcess":
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "webapp.celery", "worker"),
                    *("-Q", "cpu", "-n", f"{self.name}@%h", "--concurrency", str(self.slots)),
                    *("--pool", "prefork", "--without-gossip", "--without-mingle"),
                ],
                cwd=PROJECT_ROOT,
                env=environment_of(self.folder),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._is_ready, seconds=60, every=0.1)
        return self

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return Worker.objects.filter(name__startswith=f"{self.name}@").exists()

    def ask_to_stop(self, *, seconds: float) -> None:
        """As the lab's supervisor does it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=seconds)

    def kill(self) -> None:
        """As a power cut does it: parent and pool at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
