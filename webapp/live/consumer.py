"""The websocket of the live pages: follow up to 60 runs; nothing is missing, nothing comes twice.

Order is what makes it so: join the run's group first, then read everything after the follower's
sequence from Postgres, then read again at each hint. One task reads, so a follower's cursor moves
in one place, and a lost hint is healed by the next one or by the heartbeat. Each frame has its
number `n` on the connection, so that a follower that misses one subscribes again and is told anew.
Whether a person may see a run is asked when they subscribe, and again at each heartbeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY
from django.db import DatabaseError
from django.http import Http404

from webapp.live import messages
from webapp.live.catch_up import Cursor
from webapp.live.hints import group_of
from webapp.live.messages import Message
from webapp.live.shared import Told, reads
from webapp.live.still_allowed import Follower, checks
from webapp.runs.selectors import run_for

MOST_RUNS = 60
ACTIONS = ("subscribe", "unsubscribe")
"""What a frame may ask for."""
LONGEST_FRAME = 64 * 1024
HEARTBEAT_SECONDS = 5.0
NOT_SIGNED_IN = 4401

log = logging.getLogger(__name__)


class RunsConsumer(AsyncWebsocketConsumer):
    """`{"subscribe": {"7": 120}}` follows run 7 from sequence 121; `{"unsubscribe": [7]}` stops.

    A follower that knows the attempt of its points says `{"7": {"sequence": 120, "attempt": 2}}`.
    """

    async def connect(self) -> None:
        self.cursors: dict[int, Cursor] = {}
        self.behind: set[int] = set()
        self.frames_sent = 0
        self.wake = asyncio.Event()
        self.tasks: list[asyncio.Task] = []
        if not self.scope["user"].is_authenticated:
            await self.close()
            return
        await self.accept()
        self.tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._beat())]

    async def disconnect(self, code: int) -> None:
        for task in self.tasks:
            task.cancel()
        for run_id in self.cursors:
            await self.channel_layer.group_discard(group_of(run_id), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            request = _read_frame(text_data)
        except ValueError as problem:
            await self._say(messages.error(str(problem)))
            return
        for run_id in request["unsubscribe"]:
            await self._leave(run_id)
        for run_id, cursor in request["subscribe"].items():
            await self._join(run_id, cursor)

    async def run_hint(self, event: dict[str, Any]) -> None:
        """From the channel layer: a run may have something new."""
        self._look_at(event["run"])

    async def _join(self, run_id: int, cursor: Cursor) -> None:
        if run_id not in self.cursors and len(self.cursors) >= MOST_RUNS:
            await self._say(messages.error(f"at most {MOST_RUNS} runs on one connection", run_id))
            return
        try:
            await database_sync_to_async(run_for)(self.scope["user"], run_id)
        except Http404 as problem:
            await self._say(messages.error(str(problem), run_id))
            return
        await self.channel_layer.group_add(group_of(run_id), self.channel_name)
        self.cursors[run_id] = cursor
        self._look_at(run_id)

    async def _leave(self, run_id: int) -> None:
        if self.cursors.pop(run_id, None) is not None:
            await self.channel_layer.group_discard(group_of(run_id), self.channel_name)

    def _look_at(self, *run_ids: int) -> None:
        self.behind.update(run_ids)
        self.wake.set()

    async def _follow(self) -> None:
        while True:
            await self.wake.wait()
            self.wake.clear()
            run_ids, self.behind = self.behind & self.cursors.keys(), set()
            cursors = {run_id: self.cursors[run_id] for run_id in run_ids}
            try:
                read = await asyncio.gather(*(reads.ask(question) for question in cursors.items()))
            except DatabaseError as error:
                # Their cursors have not moved, so the next heartbeat reads the same again.
                log.warning("Followers wait for the database (%s).", error)
                continue
            for (run_id, cursor), told in zip(cursors.items(), read, strict=True):
                await self._tell(run_id, cursor, told)

    async def _tell(self, run_id: int, cursor: Cursor, told: Told | None) -> None:
        if self.cursors.get(run_id) is not cursor:
            # Subscribed anew or left while it was read: what was read answers an old question.
            self._look_at(run_id)
            return
        if told is None:
            await self._lose(run_id)
            return
        self.cursors[run_id] = told.cursor
        for frame in told.frames:
            await self._send(frame)
        if not told.complete:
            self._look_at(run_id)

    async def _lose(self, run_id: int) -> None:
        await self._leave(run_id)
        await self._say(messages.error(f"There is no run {run_id} any more.", run_id))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            asked = set(self.cursors)
            try:
                seen = await self._still_allowed(asked)
            except DatabaseError as error:
                log.warning("Followers wait for the database (%s).", error)
                continue
            if seen is None:
                await self.close(code=NOT_SIGNED_IN)
                return
            await self._say(messages.HEARTBEAT)
            # Whoever subscribes while it is asked was let in by that subscription.
            for run_id in (asked - seen) & self.cursors.keys():
                await self._lose(run_id)
            self._look_at(*self.cursors)

    async def _still_allowed(self, run_ids: set[int]) -> frozenset[int] | None:
        """Which of the runs the person sees; None where they are signed in no more."""
        session = self.scope["session"]
        return await checks.ask(
            Follower(
                session_key=session.session_key,
                session_hash=session.get(HASH_SESSION_KEY, ""),
                user_id=self.scope["user"].pk,
                run_ids=frozenset(run_ids),
            )
        )

    async def _say(self, message: Message) -> None:
        await self._send(json.dumps(message))

    async def _send(self, frame: str) -> None:
        self.frames_sent += 1
        with contextlib.suppress(ConnectionError):
            await self.send(text_data=numbered(frame, self.frames_sent))


def numbered(frame: str, number: int) -> str:
    """The frame, a JSON object, as the `number`th of its connection, without encoding it anew."""
    return f'{{"n": {number}, {frame[1:]}'


def _read_frame(text: str | None) -> dict[str, Any]:
    """The runs to follow and to leave; `ValueError` with a sentence for a malformed frame."""
    if text is None:
        raise ValueError("binary frames are not understood; send JSON text")
    if len(text) > LONGEST_FRAME:
        raise ValueError(f"a frame has at most {LONGEST_FRAME // 1024} KB")
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the frame is not JSON") from None
    if not isinstance(frame, dict) or not frame or frame.keys() - set(ACTIONS):
        raise ValueError('a frame is an object with "subscribe" or "unsubscribe"')
    subscribe, unsubscribe = frame.get("subscribe", {}), frame.get("unsubscribe", [])
    if not isinstance(subscribe, dict) or not isinstance(unsubscribe, list):
        raise ValueError('"subscribe" is an object of run ids, "unsubscribe" a list of them')
    return {
        "subscribe": {_run_id(key): _cursor(key, value) for key, value in subscribe.items()},
        "unsubscribe": [_run_id(value) for value in unsubscribe],
    }


def _run_id(value: Any) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", str(value), re.ASCII):
        raise ValueError(f"{str(value)[:40]!r} is not the id of a run")
    return int(value)


def _cursor(key: str, value: Any) -> Cursor:
    given = value if isinstance(value, dict) else {"sequence": value}
    sequence, attempt = given.get("sequence"), given.get("attempt", 1)
    if not all(type(number) is int and 0 <= number < 2**31 for number in (sequence, attempt)):
        raise ValueError(f"run {key[:20]}: the sequence is a whole number from 0")
    return Cursor(sequence=sequence, attempt=attempt)
