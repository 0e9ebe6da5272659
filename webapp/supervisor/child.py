"""One process of the lab: started in its own session, logged, and stopped with all its children."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from webapp.supervisor.unprivileged import Account

LAST_LINES = 15
PR_SET_PDEATHSIG = 1


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Linux sends `number` to the child when this process ends, even by kill -9."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))

    return ask_the_kernel


def last_lines(log: Path) -> str:
    with log.open(errors="replace") as lines:
        return "".join(deque(lines, maxlen=LAST_LINES)).rstrip()


@dataclass
class Child:
    """A running process. Its log of the start before is kept as `<name>.previous.log`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log_folder: Path,
        environment: dict[str, str],
        folder: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        account: Account | None = None,
    ) -> "Child":
        log = log_folder / f"{name}.log"
        if log.exists():
            log.replace(log_folder / f"{name}.previous.log")
        who = account.popen_arguments() if account else {}
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                # Its own session: the terminal's Ctrl+C reaches the supervisor alone, which
                # then stops everything in the right order.
                start_new_session=True,
                preexec_fn=_die_with_parent(stop_signal),
                **who,
            )
        return cls(name, process, log, stop_signal)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.alive:
            self.process.send_signal(self.stop_signal)

    def stop(self, *, seconds: float) -> None:
        """Asks, waits for at most `seconds`, then kills the whole process group."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(seconds, 0))
        kill_group(self.process.pid)
        self.process.wait()

    def failure(self) -> str:
        """Why this process is no longer there, for a person to read."""
        status = self.process.returncode
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"{self.name} {how}. The last lines of {self.log}:\n{last_lines(self.log)}"


def kill_group(leader: int) -> None:
    """Ends what is left of a process group, and waits until it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        for _attempt in range(50):
            os.killpg(leader, signal.SIGKILL)
            time.sleep(0.02)
