"""Hints: "run 7 has something new". They may be lost, doubled or late; Postgres has the truth."""

from __future__ import annotations

import asyncio
import logging
import os
import threading

from channels.layers import get_channel_layer
from django.db import transaction

log = logging.getLogger(__name__)

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_loop_process = 0


def group_of(run_id: int) -> str:
    return f"runs.{run_id}"


def send_after_commit(run_id: int, sequence: int) -> None:
    """Tell the followers of a run once the current transaction is committed."""
    transaction.on_commit(lambda: send(run_id, sequence), robust=True)


def send(run_id: int, sequence: int) -> None:
    """Give the hint to a background loop: no caller waits for the channel layer."""
    message = {"type": "run.hint", "run": run_id, "sequence": sequence}
    asyncio.run_coroutine_threadsafe(_deliver(group_of(run_id), message), _background_loop())


async def _deliver(group: str, message: dict) -> None:
    try:
        await get_channel_layer().group_send(group, message)
    except (TimeoutError, OSError, ConnectionError) as error:
        log.warning("A hint for %s was lost (%s); the next heartbeat heals it.", group, error)
    except Exception:
        log.exception("A hint for %s was lost; the next heartbeat heals it.", group)


def _background_loop() -> asyncio.AbstractEventLoop:
    """One loop for each process, so that the layer's connection is kept and survives no fork."""
    global _loop, _loop_process
    with _lock:
        if _loop is None or _loop_process != os.getpid():
            _loop = asyncio.new_event_loop()
            _loop_process = os.getpid()
            threading.Thread(target=_loop.run_forever, name="hints", daemon=True).start()
        return _loop
