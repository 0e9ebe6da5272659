"""Keeping the checkpoints of a running attempt: a full disk costs a checkpoint, not the run."""

from __future__ import annotations

import logging
from functools import partial

from engine.events import Checkpoint, Note
from webapp.runs import services
from webapp.runs.checkpoint_store import CheckpointStore
from webapp.runs.explanations import said_by
from webapp.runs.models import Run
from webapp.runs.recorder import Recorder

log = logging.getLogger(__name__)


class CheckpointKeeper:
    """Tells in the run's log when checkpoints cannot be kept, and when they can again."""

    def __init__(self, run: Run, recorder: Recorder, store: CheckpointStore) -> None:
        self.run = run
        self.recorder = recorder
        self.store = store
        self.refused = False

    def keep(self, checkpoint: Checkpoint) -> bool:
        """Whether it lies on durable storage now; the points that it follows are committed."""
        try:
            self.store.save(checkpoint)
        except OSError as problem:
            log.warning(
                "The checkpoint of outer step %s is not kept (%s).", checkpoint.step, problem
            )
            if not self.refused:
                why = f"No checkpoint can be kept ({said_by(problem)}); it goes on."
                self._tell(checkpoint, "warning", why)
            self.refused = True
            return False
        if self.refused:
            self._tell(checkpoint, "info", "Checkpoints are kept again.")
        self.refused = False
        mine = {"run_id": self.run.pk, "attempt": self.run.attempt}
        self.recorder.insist(partial(services.keep_checkpoint, **mine, step=checkpoint.step))
        return True

    def _tell(self, checkpoint: Checkpoint, level: str, message: str) -> None:
        note = Note(run=checkpoint.run, step=checkpoint.step, level=level, message=message)
        self.recorder.add_note(note)
        # The run may be let go next.
        self.recorder.flush()
