"""A log handler that keeps errors in Postgres, where the admin's page finds them.

It writes on a connection of its own: the one of the failing code may be in an aborted transaction,
and what is written there would be undone with it.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import threading
import time
import traceback

import psycopg
from django.conf import settings

MOST_MESSAGE = 2_000
MOST_TRACEBACK = 20_000
"""Characters that are kept; the console has the rest."""
DATABASE_SECONDS = 2
REST_SECONDS = 30
"""How long a database that cannot be reached is left alone: each try holds its caller up."""

UPSERT = """
    INSERT INTO observability_recenterror
        (fingerprint, logger, program, message, traceback, times, first_seen, last_seen,
         request_id, run_id)
    VALUES (%s, %s, %s, %s, %s, 1, now(), now(), %s, %s)
    ON CONFLICT (fingerprint) DO UPDATE SET
        program = excluded.program, message = excluded.message, traceback = excluded.traceback,
        times = observability_recenterror.times + 1, last_seen = excluded.last_seen,
        request_id = excluded.request_id, run_id = excluded.run_id
"""


class RecentErrorHandler(logging.Handler):
    """Never raises, and never logs: what it cannot keep is on the console all the same."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self._resting_until = 0.0
        self._inside = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        if time.monotonic() < self._resting_until or getattr(self._inside, "emits", False):
            return
        self._inside.emits = True
        try:
            with psycopg.connect(
                settings.DATABASE_URL,
                connect_timeout=DATABASE_SECONDS,
                options=f"-c statement_timeout={DATABASE_SECONDS}s",
                autocommit=True,
            ) as connection:
                connection.execute(UPSERT, _row(record))
        except psycopg.Error:
            self._resting_until = time.monotonic() + REST_SECONDS
        finally:
            self._inside.emits = False


def _row(record: logging.LogRecord) -> tuple[str | int | None, ...]:
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return (
        fingerprint(record),
        record.name[:200],
        _program()[:200],
        _storable(record.getMessage())[:MOST_MESSAGE],
        # The end names the exception, so the beginning is what may go.
        _storable(trace)[-MOST_TRACEBACK:],
        getattr(record, "request_id", ""),
        getattr(record, "run_id", None),
    )


def fingerprint(record: logging.LogRecord) -> str:
    """Equal for records of one kind: same logger, same wording before its arguments, same exception
    from the same places, whatever the numbers in its message."""
    parts = [record.name, str(record.msg)]
    if record.exc_info and record.exc_info[0] is not None:
        kind, _, where = record.exc_info
        parts = [record.name, kind.__module__, kind.__qualname__]
        parts += [f"{frame.filename}:{frame.name}" for frame in traceback.extract_tb(where)]
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()


def _storable(text: str) -> str:
    """Postgres keeps no NUL, and UTF-8 no half of a pair."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _program() -> str:
    """The words that started this process, without the folders of its interpreter."""
    return " ".join(word.rsplit("/", 1)[-1] for word in sys.argv[:6])
