"""The two embedded servers together, for `make run` and for the tests alike."""

import json
import os
from pathlib import Path

from webapp.supervisor import process_table
from webapp.supervisor.child import Child, kill_group
from webapp.supervisor.home import Home, free_port, port_is_free
from webapp.supervisor.postgres import Postgres
from webapp.supervisor.valkey import Valkey

STOP_SECONDS = 10


class ProcessRecord:
    """The processes of the current start, written down so that the next one can end leftovers."""

    def __init__(self, home: Home) -> None:
        self.file: Path = home.root / "processes.json"

    def write(self, children: list[Child]) -> None:
        births = {str(one.process.pid): process_table.birth(one.process.pid) for one in children}
        self.file.write_text(json.dumps(births))

    def end_leftovers(self) -> list[int]:
        """Kills what a supervisor that was itself killed left running."""
        if not self.file.exists():
            return []
        births: dict[str, str] = json.loads(self.file.read_text() or "{}")
        left = [int(pid) for pid, birth in births.items() if process_table.birth(int(pid)) == birth]
        for pid in left:
            kill_group(pid)
        self.file.unlink()
        return left


class EmbeddedServices:
    """Postgres and Valkey of one lab, each unless the environment names a server already."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.children: list[Child] = []

    def start(self) -> dict[str, str]:
        """Starts both; returns the environment for everything that uses them."""
        remembered = self.home.recall()
        own_postgres = not os.environ.get("DATABASE_URL")
        own_valkey = not os.environ.get("REDIS_URL")
        # Another program may have taken a remembered port while the lab was off.
        if own_postgres and not port_is_free(remembered.postgres_port):
            remembered.postgres_port = free_port()
        if own_valkey and not port_is_free(remembered.valkey_port):
            remembered.valkey_port = free_port()
        self.home.remember(remembered)
        if own_postgres:
            self.children.append(Postgres(self.home, remembered).start())
        if own_valkey:
            self.children.append(Valkey(self.home, remembered).start())
        return {
            **self.home.environment(),
            **{
                name: os.environ[name]
                for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
                if os.environ.get(name)
            },
        }

    def stop(self) -> None:
        for child in reversed(self.children):
            child.ask_to_stop()
        for child in reversed(self.children):
            child.stop(seconds=STOP_SECONDS)
        self.children.clear()
