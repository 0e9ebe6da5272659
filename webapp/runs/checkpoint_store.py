"""The checkpoints of a run on durable storage: the last two, each written whole or not at all."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from engine.events import Checkpoint
from webapp.runs.services import checkpoint_folder

KEPT = 2

log = logging.getLogger(__name__)


class CheckpointStore:
    """One folder a run, one file a checkpoint, named by the outer steps that it has finished."""

    def __init__(self, run_id: int) -> None:
        self.folder = checkpoint_folder(run_id)

    def save(self, checkpoint: Checkpoint) -> None:
        from engine import checkpoints

        self.folder.mkdir(parents=True, exist_ok=True)
        checkpoints.save(self.folder / f"{checkpoint.step:09d}.pt", checkpoint)
        for old in self.newest_first()[KEPT:]:
            old.unlink(missing_ok=True)

    def newest(self, at_most: int) -> Checkpoint | None:
        """The newest readable checkpoint with at most `at_most` outer steps, or None."""
        from engine import checkpoints

        for path in self.newest_first():
            if int(path.stem) > at_most:
                continue
            try:
                return checkpoints.load(path)
            except Exception:
                log.exception("The checkpoint %s cannot be read; an older one is taken.", path)
        return None

    def delete(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def newest_first(self) -> list[Path]:
        """The kept files, named by their outer steps."""
        return sorted(self.folder.glob("[0-9]*.pt"), reverse=True)
