"""Starts the lab, watches over it, and stops all of it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Any

from webapp.supervisor import programs
from webapp.supervisor.child import Child
from webapp.supervisor.children import STOP_SIGNALS, Children
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import AlreadyRunning, Home, free_port, port_is_free
from webapp.supervisor.postgres import ServiceFailed
from webapp.supervisor.programs import Program
from webapp.supervisor.screen import say, say_state

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
DEFAULT_PORT = 8000
READY_SECONDS = 120
STOP_SECONDS = 8
# A worker that runs out of memory comes back; one that cannot live is an error.
RESTARTS = 3
RESTART_WINDOW_SECONDS = 60


class StopRequested(Exception):
    """Ctrl+C, a request to terminate, or a closed terminal."""


def choose_port() -> int:
    """PORT, or else 8000, or else a free one."""
    wanted = os.environ.get("PORT", "").strip()
    if wanted:
        if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
            raise ServiceFailed(f"PORT is {wanted!r}; a number from 1 to 65535 is needed.")
        if not port_is_free(int(wanted)):
            raise ServiceFailed(f"PORT {wanted} is taken by another program; choose another one.")
        return int(wanted)
    nearby = (port for port in range(DEFAULT_PORT, DEFAULT_PORT + 100) if port_is_free(port))
    port = next(nearby, None) or free_port()
    if port != DEFAULT_PORT:
        say(f"Port {DEFAULT_PORT} is taken by another program, so the lab is on {port}.")
    return port


def terminal_is_there() -> bool:
    """False where no terminal reads what we print, or where it was closed meanwhile."""
    return os.isatty(1)


class Supervisor:
    """One lab, from its start to the end of its last process."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.services = EmbeddedServices(home)
        self.applications = Children(home, "applications")
        self.environment: dict[str, str] = {}
        self.running: dict[str, Program] = {}
        self.restarted: list[float] = []
        self.stopping = False
        self.terminal = terminal_is_there() and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN

    def run(self) -> None:
        """Returns after a stop that was asked for; raises ServiceFailed."""
        for number in STOP_SIGNALS:
            # `nohup` asks to outlive the terminal.
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_stop_signal)
        try:
            self._start()
            self._watch()
        except StopRequested:
            say("\nStopping …")
        finally:
            self.stopping = True
            self.applications.stop(seconds=STOP_SECONDS)
            self.services.stop()
            self.home.forget_address()

    def _on_stop_signal(self, number: int, frame: FrameType | None) -> None:
        if self.stopping:
            # The second Ctrl+C: somebody is in a hurry. Postgres still shuts down in order.
            self.applications.kill()
            return
        self.stopping = True
        raise StopRequested

    def _check_terminal(self) -> None:
        """Who runs us may keep the news of a closed terminal to itself (`ssh -t host make run`)."""
        if self.terminal and not terminal_is_there() and not self.stopping:
            self.stopping = True
            raise StopRequested

    def _start(self) -> None:
        port = choose_port()
        self.home.write_address(f"http://localhost:{port}")
        self.applications.end_leftovers()
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "webapp.settings.development",
            "PYTHONUNBUFFERED": "1",
            **self.services.start(),
        }
        for child in self.services.children.members:
            say_state(child.name, "ready", f"data in {child.folder}")
        sign_in_path = self._prepare()
        self._launch(programs.web(port))
        self._launch(programs.cpu_worker())
        for device in programs.gpus():
            self._launch(programs.gpu_worker(device))
        self._launch(programs.forecast_worker())
        self._launch(programs.beat(self.home.root / "beat-schedule"))
        self._wait_until_healthy(port)
        say(f"\nSign in (works once, for 24 hours):\n  http://localhost:{port}{sign_in_path}\n")
        say(f"Logs are in {self.home.logs}. Ctrl+C stops everything.")

    def _prepare(self) -> str:
        """Migrates; returns the path of a sign-in link."""
        child = self.applications.start(
            "prepare",
            [sys.executable, "-m", "webapp.supervisor.prepare"],
            environment=self.environment,
            folder=PROJECT_ROOT,
            read_output=True,
        )
        printed, _ = child.process.communicate()
        if child.process.returncode:
            raise ServiceFailed(child.failure())
        self.applications.forget(child)
        say_state("database", "ready", "migrated")
        return printed.strip()

    def _launch(self, program: Program) -> None:
        self.running[program.name] = program
        self.applications.start(
            program.name,
            list(program.command),
            environment={**self.environment, **program.environment},
            folder=PROJECT_ROOT,
            stop_signal=program.stop_signal,
        )

    def _wait_until_healthy(self, port: int) -> None:
        """Until the web answers and each worker has reported; says so one by one."""
        expected = sum(program.restarts for program in self.running.values())
        web_said = False
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self._check_terminal()
            for child in self.applications.dead():
                raise ServiceFailed(child.failure())
            health = _health(port)
            if health and not web_said:
                say_state("web", "ready", self.running["web"].what)
                web_said = True
            if health and health["workers"] >= expected:
                for program in self.running.values():
                    if program.name != "web":
                        say_state(program.name, "ready", program.what)
                return
            time.sleep(0.1)
        waited_for = "worker" if web_said else "web"
        raise ServiceFailed(self._member(waited_for).failure())

    def _member(self, name: str) -> Child:
        return next(child for child in self.applications.members if child.name == name)

    def _watch(self) -> None:
        while True:
            self._check_terminal()
            for child in self.services.children.dead():
                raise ServiceFailed(child.failure())
            for child in self.applications.dead():
                self._mourn(child)
            time.sleep(0.2)

    def _mourn(self, child: Child) -> None:
        """A worker is started again; without any other program there is no lab."""
        program = self.running[child.name]
        now = time.monotonic()
        self.restarted = [at for at in self.restarted if now - at < RESTART_WINDOW_SECONDS]
        if not program.restarts or len(self.restarted) >= RESTARTS:
            raise ServiceFailed(child.failure())
        say(f"{child.failure()}\nStarting {child.name} again.")
        child.wait(seconds=0)
        self.applications.forget(child)
        self.restarted.append(now)
        self._launch(program)


def _health(port: int) -> dict[str, Any] | None:
    """What /healthz says, or None where it is not there yet or says that something is down."""
    try:
        address = f"http://127.0.0.1:{port}/healthz"
        with urllib.request.urlopen(address, timeout=10) as answer:  # nosec B310
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None


def main() -> int:
    home = Home(Path(os.environ.get("LAB_HOME", "").strip() or PROJECT_ROOT / ".lab"))
    try:
        home.prepare()
        home.lock()
        Supervisor(home).run()
    except AlreadyRunning as error:
        say(str(error))
        return 1
    except (ServiceFailed, RuntimeError, OSError, subprocess.SubprocessError) as error:
        say(f"The lab stopped: {error}")
        return 1
    say("The lab is stopped; its data is kept.")
    return 0
