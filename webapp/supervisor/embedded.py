"""The two embedded servers together, for `make run` and for the tests alike."""

import os

from webapp.supervisor.children import Children
from webapp.supervisor.home import Home, free_port, port_is_free
from webapp.supervisor.postgres import Postgres
from webapp.supervisor.valkey import Valkey

STOP_SECONDS = 10
REPLACEABLE = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")


class EmbeddedServices:
    """Postgres and Valkey of one lab, each unless the environment names a server already."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.children = Children(home, "services")

    def start(self) -> dict[str, str]:
        """Starts both; returns the environment for everything that uses them."""
        self.children.end_leftovers()
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
            Postgres(self.home, remembered, self.children).start()
        if own_valkey:
            Valkey(self.home, remembered, self.children).start()
        given = {name: os.environ[name] for name in REPLACEABLE if os.environ.get(name)}
        return {**self.home.environment(), **given}

    def stop(self) -> None:
        self.children.stop(seconds=STOP_SECONDS)
