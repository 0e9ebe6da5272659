"""Reads for all followers of one process: who stands where another stands is told from one read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from channels.db import database_sync_to_async

from webapp.live.catch_up import Cursor, news
from webapp.live.gathering import OfEachLoop
from webapp.runs.models import Run

Question = tuple[int, Cursor]
"""What does a follower with this cursor lack of this run?"""


@dataclass(frozen=True)
class Told:
    """News as the frames of a websocket."""

    frames: list[str]
    cursor: Cursor
    complete: bool


@database_sync_to_async
def _told(questions: Iterable[Question]) -> dict[Question, Told | None]:
    # They are long, and no follower is told of them.
    runs: dict[int, Run] = Run.objects.defer("spec", "notes").in_bulk(
        {run_id for run_id, _ in questions}
    )
    return {
        (run_id, cursor): _frames(runs[run_id], cursor) if run_id in runs else None
        for run_id, cursor in questions
    }


def _frames(run: Run, cursor: Cursor) -> Told:
    found = news(run, cursor)
    return Told([json.dumps(each) for each in found.messages], found.cursor, found.complete)


reads: OfEachLoop[Question, Told | None] = OfEachLoop(_told)
"""What a cursor lacks of a run; None where the run is gone."""
