"""Runs the lab as a person does: `python -m webapp.supervisor`, its printed lines, Ctrl+C."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from webapp.supervisor.home import Home, free_port
from webapp.supervisor.postgres import private_folder

PROJECT_ROOT = Path(__file__).resolve().parent.parent
NOT_INHERITED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "DJANGO_SETTINGS_MODULE",
    "CHECKPOINT_ROOT",
)
SIGN_IN_LINK = re.compile(r"http://\S+/sign-in/\S+")
SIGN_IN_PATHS = """
from webapp.accounts.services import ensure_admin, sign_in_path
admin = ensure_admin(name="admin")
for _ in range(50):
    print(sign_in_path(user=admin))
"""


def remove_home(home: Home) -> None:
    shutil.rmtree(private_folder(home), ignore_errors=True)
    shutil.rmtree(home.root, ignore_errors=True)


class LabProcess:
    """One lab, whose folder is `home`. `start` returns when the sign-in link is printed."""

    def __init__(self, home: Path, *, port: int | None = None) -> None:
        self.home = home
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}"
        self.sign_in_link = ""
        self.sign_in_paths: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.printed = home / "printed.txt"

    def launch(self, **environment: str) -> subprocess.Popen[str]:
        """Starts the process without waiting for it."""
        inherited = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
        with self.printed.open("w") as printed:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webapp.supervisor"],
                cwd=PROJECT_ROOT,
                env={
                    **inherited,
                    "LAB_HOME": str(self.home),
                    "PORT": str(self.port),
                    **environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        return self.process

    def start(self, *, seconds: float = 90) -> None:
        process = self.launch()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None:
            found = SIGN_IN_LINK.search(self.printed.read_text())
            if found:
                self.sign_in_link = found.group()
                return
            time.sleep(0.05)
        raise AssertionError(f"The lab did not start:\n{self.printed.read_text()}")

    def manage(self, *arguments: str) -> str:
        """What `manage.py` prints for this lab, as in a second terminal."""
        inherited = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT_ROOT,
            env={**inherited, "LAB_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def new_sign_in_link(self) -> str:
        """Each link signs in once, so each test asks for its own; to make them one at a time would
        take a process each."""
        if not self.sign_in_paths:
            made = self.manage("shell", "--no-imports", "-c", SIGN_IN_PATHS)
            self.sign_in_paths = made.split()
        return f"{self.url}{self.sign_in_paths.pop()}"

    def stop(self, *, with_signal: signal.Signals = signal.SIGINT, seconds: float = 40) -> int:
        """Ends the lab as Ctrl+C does; returns its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(timeout=seconds)
