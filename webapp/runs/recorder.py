"""Keeps what a running attempt says: gathers it, commits it in batches, holds the lease."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import InterfaceError, OperationalError, connection

from engine.events import Note, Pictured, Point
from webapp.runs import services
from webapp.runs.models import Run
from webapp.runs.services import LeaseLost

FLUSH_SECONDS = 0.1
"""Between two commits at least: who follows a run sees its points as they come."""
COMMIT_SHARE = 0.1
"""Of a run's time that commits may take: where they take long, fewer and larger ones are made."""
LONGEST_SECONDS = 0.25
"""Between two commits, however long they take."""
FLUSH_POINTS = 200
RENEW_SECONDS = 1.0
"""How often the lease is renewed and the cancel flag read while there is nothing to commit."""

log = logging.getLogger(__name__)


class Recorder:
    """Records one attempt, from the engine's thread and from one of its own.

    Its own thread commits what waits and renews the lease while an outer step takes long; it never
    touches the engine. The first point is committed at once. `check` and `flush` raise `LeaseLost`
    when the run is no longer this attempt's.
    """

    def __init__(self, run: Run) -> None:
        self.run_id, self.attempt = run.pk, run.attempt
        self.cancel_requested = False
        self.pause_requested = False
        self._points: list[Point] = []
        self._notes: list[Note] = []
        self._pictured: list[Pictured] = []
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._problem: Exception | None = None
        self._heard = time.monotonic()
        self._committed_at = 0.0
        self._pause = FLUSH_SECONDS
        self._unsure = False
        self._thread = threading.Thread(target=self._keep, name=f"run {run.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def must_let_go(self) -> bool:
        """Whether somebody asked to pause or to cancel the run."""
        return self.pause_requested or self.cancel_requested

    def add_point(self, point: Point) -> None:
        with self._lock:
            self._points.append(point)
            if self._is_due() or len(self._points) >= FLUSH_POINTS:
                self._commit()

    def add_note(self, note: Note) -> None:
        with self._lock:
            self._notes.append(note)

    def add_picture(self, pictured: Pictured) -> None:
        with self._lock:
            self._pictured.append(pictured)

    def check(self) -> None:
        """Raise what the recorder's own thread ran into."""
        if self._problem is not None:
            raise self._problem

    def flush(self) -> None:
        """Return once everything is committed; waits for a database that is away, a lease long."""
        while True:
            self.check()
            with self._lock:
                if not self._has_something or self._commit():
                    return
            time.sleep(FLUSH_SECONDS)

    def insist(self, action: Callable[[], None]) -> None:
        """Return once `action` is done; waits for a database that is away, a lease long."""
        while not self._attempt_to(action):
            time.sleep(FLUSH_SECONDS)

    @property
    def _has_something(self) -> bool:
        return bool(self._points or self._notes or self._pictured)

    def _is_due(self) -> bool:
        return time.monotonic() - self._committed_at >= self._pause

    def _keep(self) -> None:
        try:
            while not self._ended.wait(FLUSH_SECONDS):
                with self._lock:
                    if self._has_something:
                        if self._is_due():
                            self._commit()
                    elif time.monotonic() - self._heard >= RENEW_SECONDS:
                        self._attempt_to(self._renew)
        except Exception as problem:
            self._problem = problem
        finally:
            connection.close()

    def _commit(self) -> bool:
        return self._attempt_to(self._record)

    def _attempt_to(self, action: Callable[[], None]) -> bool:
        """Whether `action` went through; a database that is away for less than a lease is not."""
        try:
            action()
        except (OperationalError, InterfaceError):
            if time.monotonic() - self._heard > services.LEASE.total_seconds():
                raise
            log.warning("Run %s: the database does not answer; trying again.", self.run_id)
            connection.close()
            self._unsure = True
            return False
        self._heard = time.monotonic()
        return True

    def _renew(self) -> None:
        self._obey(services.renew(run_id=self.run_id, attempt=self.attempt))

    def _obey(self, lease: services.Lease) -> None:
        self.cancel_requested = lease.cancel_requested
        self.pause_requested = lease.pause_requested

    def _record(self) -> None:
        began = time.monotonic()
        if self._unsure:
            self._drop_what_was_committed()
        lease = services.record_points(
            run_id=self.run_id,
            attempt=self.attempt,
            points=self._points,
            notes=self._notes,
            pictured=self._pictured,
        )
        self._obey(lease)
        self._points, self._notes, self._pictured = [], [], []
        self._committed_at = time.monotonic()
        fair = (self._committed_at - began) / COMMIT_SHARE
        self._pause = min(max(fair, FLUSH_SECONDS), LONGEST_SECONDS)

    def _drop_what_was_committed(self) -> None:
        """After a commit whose answer was lost: the run's sequence says what went through.

        Pictures may be written twice: the second replaces the first.
        """
        run = Run.objects.filter(pk=self.run_id, attempt=self.attempt).first()
        if run is None:
            raise LeaseLost(f"run {self.run_id} is no longer attempt {self.attempt}'s")
        if any(point.step < run.sequence for point in self._points):
            self._points = [point for point in self._points if point.step >= run.sequence]
            self._notes = []
        self._unsure = False
