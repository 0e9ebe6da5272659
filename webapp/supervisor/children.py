"""Processes that start and stop together, and what a killed supervisor left of them."""

import contextlib
import json
import os
import signal
import time
from typing import Any

from webapp.supervisor import process_table
from webapp.supervisor.child import Child, kill_group
from webapp.supervisor.home import Home

STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
LEFTOVER_SECONDS = 5


class Children:
    """Starts processes one by one, remembers each from its first moment, stops them all."""

    def __init__(self, home: Home, group: str) -> None:
        self.home = home
        self.members: list[Child] = []
        self._record = home.root / f"processes-{group}.json"

    def start(self, name: str, command: list[str], **options: Any) -> Child:
        """Starts a process; `options` are those of `Child.start`."""
        # A Ctrl+C between the start and the note of it would lose the process, so it waits.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            child = Child.start(name, command, log_folder=self.home.logs, mask=mask, **options)
            self.members.append(child)
            self._write_record()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return child

    def forget(self, child: Child) -> None:
        self.members.remove(child)
        self._write_record()

    def dead(self) -> list[Child]:
        return [child for child in self.members if not child.alive]

    def stop(self, *, seconds: float) -> None:
        """Asks all at once, waits for at most `seconds` altogether, then kills."""
        for child in reversed(self.members):
            child.ask_to_stop()
        deadline = time.monotonic() + seconds
        for child in reversed(self.members):
            child.wait(deadline - time.monotonic())
        self.members.clear()
        self._record.unlink(missing_ok=True)

    def kill(self) -> None:
        for child in self.members:
            kill_group(child.process.pid)

    def _write_record(self) -> None:
        notes = [
            {
                "name": child.name,
                "pid": child.process.pid,
                "birth": process_table.birth(child.process.pid),
                "stop_signal": int(child.stop_signal),
            }
            for child in self.members
        ]
        self._record.write_text(json.dumps(notes))

    def end_leftovers(self) -> None:
        """Ends what the supervisor before this one left when it was killed itself."""
        if not self._record.exists():
            return
        left = [note for note in json.loads(self._record.read_text() or "[]") if _is_there(note)]
        for note in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(note["pid"], note["stop_signal"])
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while time.monotonic() < deadline and any(_is_there(note) for note in left):
            time.sleep(0.05)
        for note in left:
            kill_group(note["pid"])
        self._record.unlink()


def _is_there(note: dict[str, Any]) -> bool:
    """Whether the process lives: the same number with another birth is some other program."""
    return bool(note["birth"]) and process_table.birth(note["pid"]) == note["birth"]
