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


def last_lines(log: Path) -> str:
    with log.open(errors="replace") as lines:
        return "".join(deque(lines, maxlen=LAST_LINES)).rstrip()


def _before_the_program(
    stop_signal: signal.Signals, mask: set[signal.Signals]
) -> Callable[[], None]:
    """What the child does between fork and exec: takes back the signal mask of its parent, and
    asks Linux for `stop_signal` when that parent ends, even by kill -9."""
    prctl = ctypes.CDLL(None).prctl if sys.platform.startswith("linux") else None

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if prctl:
            prctl(PR_SET_PDEATHSIG, int(stop_signal))

    return prepare


@dataclass
class Child:
    """A running process. The log of its start before is kept as `<name>.previous.log`."""

    name: str
    process: subprocess.Popen[str]
    log: Path
    folder: Path
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
        mask: set[signal.Signals],
        stop_signal: signal.Signals = signal.SIGTERM,
        account: Account | None = None,
        read_output: bool = False,
    ) -> "Child":
        """`read_output` leaves standard output to the caller; otherwise it goes to the log."""
        log = log_folder / f"{name}.log"
        if log.exists():
            log.replace(log_folder / f"{name}.previous.log")
        who = account.popen_arguments() if account else {}
        with log.open("ab") as log_file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if read_output else log_file,
                stderr=log_file,
                text=True,
                cwd=folder,
                env=environment,
                # Its own session: the terminal's Ctrl+C reaches the supervisor alone, which
                # then stops everything in the right order.
                start_new_session=True,
                preexec_fn=_before_the_program(stop_signal, mask),
                **who,
            )
        return cls(name, process, log, folder, stop_signal)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.alive:
            self.process.send_signal(self.stop_signal)

    def wait(self, seconds: float) -> None:
        """Waits for at most `seconds`, then ends whatever is left of the process group."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(seconds, 0))
        kill_group(self.process.pid)
        self.process.wait()

    def failure(self) -> str:
        """Why this process is no longer there, for a person to read."""
        status = self.process.returncode
        if status is None:
            how = "does not answer"
        elif status < 0:
            how = f"was ended by signal {-status}"
        else:
            how = f"ended with status {status}"
        return f"{self.name} {how}. The last lines of {self.log}:\n{last_lines(self.log)}"


def kill_group(leader: int) -> None:
    """Ends a process group, and waits until it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        for _attempt in range(100):
            os.killpg(leader, signal.SIGKILL)
            time.sleep(0.01)
