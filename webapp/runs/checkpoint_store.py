"""The checkpoints of a run on durable storage: the last two, each with the sum of its bytes."""

from __future__ import annotations

import hashlib
import logging
import re
from functools import cached_property
from pathlib import Path

from engine.events import Checkpoint
from webapp.runs.checkpoint_storage import Storage, storage

KEPT = 2
NAME = re.compile(r"(?P<step>\d+)(-(?P<sum>[0-9a-f]{64}))?\.pt")
"""Files of versions before 0.6 have no sum in their name."""

log = logging.getLogger(__name__)


class Damaged(Exception):
    """The bytes of a checkpoint are not those that were written."""


class CheckpointStore:
    """One folder a run, one file a checkpoint, named by its finished outer steps and its sum."""

    def __init__(self, run_id: int) -> None:
        self.run_id = run_id

    @cached_property
    def storage(self) -> Storage:
        """Opened where it is needed: a bucket's server may be away."""
        return storage()

    def save(self, checkpoint: Checkpoint) -> None:
        """Raises `OSError` where it cannot be kept; those kept before are still there then."""
        from engine import checkpoints

        with self.storage.draft() as folder:
            file = folder / "checkpoint.pt"
            checkpoints.save(file, checkpoint)
            name = f"{self.run_id}/{checkpoint.step:09d}-{_sum(file)}.pt"
            self.storage.keep(file, name)
        # What lies ahead is damaged, or of an attempt gone by: it must not crowd this one out.
        behind = [name for name in self.newest_first() if step_of(name) <= checkpoint.step]
        for old in behind[KEPT:]:
            self.storage.delete(old)

    def newest(self, at_most: int) -> Checkpoint | None:
        """The newest undamaged checkpoint with at most `at_most` outer steps, or None.

        Raises `OSError` where none could be read because the disk or the server refused.
        """
        refusal = None
        for name in self.newest_first():
            if step_of(name) > at_most:
                continue
            try:
                return self._read(name)
            except OSError as problem:
                log.warning("The checkpoint %s cannot be read (%s).", name, problem)
                refusal = problem
            except Exception:
                log.exception("The checkpoint %s is damaged; an older one is taken.", name)
        if refusal is not None:
            raise refusal
        return None

    def delete(self) -> None:
        for name in self.newest_first():
            self.storage.delete(name)

    def newest_first(self) -> list[str]:
        """The names of the kept files."""
        return sorted(self.storage.names(str(self.run_id)), reverse=True)

    def steps(self) -> list[int]:
        """The finished outer steps of the kept files, the newest first."""
        return [step_of(name) for name in self.newest_first()]

    def _read(self, name: str) -> Checkpoint:
        from engine import checkpoints

        with self.storage.local(name) as path:
            said = _parts(name)["sum"]
            if said and _sum(path) != said:
                raise Damaged(f"{name} has another sum than its name says")
            return checkpoints.load(path)


def step_of(name: str) -> int:
    """The outer steps that the checkpoint of this name has finished."""
    return int(_parts(name)["step"])


def _parts(name: str) -> dict[str, str | None]:
    found = NAME.fullmatch(Path(name).name)
    if found is None:
        raise ValueError(f"{name!r} is not the name of a checkpoint")
    return found.groupdict()


def _sum(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
