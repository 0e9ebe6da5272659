"""The lab's private folder, and what is chosen once and remembered in it."""

import fcntl
import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO
from urllib.parse import quote

DATABASE_NAME = "lab"
DATABASE_USER = "lab"


class AlreadyRunning(Exception):
    """Another supervisor holds this lab's folder."""


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


@dataclass
class Remembered:
    """Ports and secrets of one lab, written to `remembered.json`, readable by its owner alone."""

    postgres_port: int = field(default_factory=free_port)
    valkey_port: int = field(default_factory=free_port)
    postgres_password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    valkey_password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def database_url(self) -> str:
        password = quote(self.postgres_password)
        address = f"127.0.0.1:{self.postgres_port}"
        return f"postgres://{DATABASE_USER}:{password}@{address}/{DATABASE_NAME}"

    @property
    def redis_url(self) -> str:
        return f"redis://:{quote(self.valkey_password)}@127.0.0.1:{self.valkey_port}/0"


class Home:
    """Paths inside the lab's private folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.logs = self.root / "logs"
        self.valkey = self.root / "valkey"
        self._remembered_file = self.root / "remembered.json"
        self._address_file = self.root / "address"
        self._lock: IO[str] | None = None

    def prepare(self) -> None:
        """Creates the folders. Others may pass through (root gives Postgres another user)."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.logs, self.valkey):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    def lock(self) -> None:
        """Held until this process ends, however it ends; raises AlreadyRunning."""
        lock = (self.root / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            where = f" at {self.address()}" if self.address() else ""
            raise AlreadyRunning(
                f"A lab is already running{where}; its folder is {self.root}. "
                "LAB_HOME names another folder."
            ) from None
        self._lock = lock

    def write_address(self, address: str) -> None:
        self._address_file.write_text(address)

    def forget_address(self) -> None:
        self._address_file.unlink(missing_ok=True)

    def address(self) -> str:
        """Where the running lab answers; empty where none runs."""
        return self._address_file.read_text() if self._address_file.exists() else ""

    def recall(self) -> Remembered:
        """What this lab remembers; chosen now and written down where it is new."""
        if self._remembered_file.exists():
            known = json.loads(self._remembered_file.read_text())
            names = {entry.name for entry in fields(Remembered)}
            return Remembered(**{name: known[name] for name in names & known.keys()})
        remembered = Remembered()
        self.remember(remembered)
        return remembered

    def remember(self, remembered: Remembered) -> None:
        partial = self._remembered_file.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(remembered), file, indent=2)
        partial.replace(self._remembered_file)

    def environment(self) -> dict[str, str]:
        """The variables that the development settings read; empty before the first start."""
        if not self._remembered_file.exists():
            return {}
        remembered = self.recall()
        return {
            "DATABASE_URL": remembered.database_url,
            "REDIS_URL": remembered.redis_url,
            "SECRET_KEY": remembered.secret_key,
            "LAB_HOME": str(self.root),
            "LAB_URL": self.address(),
        }
