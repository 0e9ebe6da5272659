"""Reads for all followers of one process: who stands where another stands is told from one read.

While one read goes on, what is asked gathers for the next; so the more followers there are, the
more of them share a read, and no read is older than the hint that asked for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from webapp.live.catch_up import Cursor, news
from webapp.runs.models import Run

Question = tuple[int, Cursor]
"""What does a follower with this cursor lack of this run?"""


@dataclass(frozen=True)
class Told:
    """News as the frames of a websocket."""

    frames: list[str]
    cursor: Cursor
    complete: bool


class SharedReads:
    """Asks the database for all that wait at once; belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[Question, asyncio.Future[Told | None]] = {}
        self._reading: asyncio.Task | None = None

    async def read(self, run_id: int, cursor: Cursor) -> Told | None:
        """What `cursor` lacks of a run, read after this call; None where the run is gone.

        Raises what the database raises.
        """
        question = (run_id, cursor)
        if question not in self._waiting:
            self._waiting[question] = asyncio.get_running_loop().create_future()
        answer = self._waiting[question]
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        # A follower that leaves must not take the answer away from the others.
        return await asyncio.shield(answer)

    async def _read(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await _told(asked)
            except Exception as error:
                for answer in asked.values():
                    answer.set_exception(error)
            else:
                for question, answer in asked.items():
                    answer.set_result(found[question])


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


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, SharedReads] = WeakKeyDictionary()


def shared_reads() -> SharedReads:
    """Those of the running event loop."""
    return _of_loops.setdefault(asyncio.get_running_loop(), SharedReads())
