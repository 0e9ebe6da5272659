"""The embedded Valkey (a Redis fork): broker and channel layer, on loopback, with a password."""

import os
import time

import redis

from webapp.supervisor import binaries
from webapp.supervisor.child import Child
from webapp.supervisor.children import Children
from webapp.supervisor.home import Home, Remembered
from webapp.supervisor.postgres import ServiceFailed

START_SECONDS = 30


class Valkey:
    """Starts one server. `start` returns when it answers."""

    def __init__(self, home: Home, remembered: Remembered, children: Children) -> None:
        self.home = home
        self.children = children
        self.remembered = remembered
        self.program = binaries.valkey_server()

    def start(self) -> None:
        # In a file and not on the command line, where every account of the machine can read it.
        configuration = self.home.valkey / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            "\n".join(
                [
                    "bind 127.0.0.1",
                    f"port {self.remembered.valkey_port}",
                    f"requirepass {self.remembered.valkey_password}",
                    f'dir "{self.home.valkey}"',
                    # Every accepted task survives kill -9; snapshots would add nothing.
                    "appendonly yes",
                    "appendfsync everysec",
                    'save ""',
                    # A broker must refuse rather than forget.
                    "maxmemory-policy noeviction",
                    "daemonize no",
                ]
            )
            + "\n"
        )
        child = self.children.start(
            "valkey",
            [str(self.program), str(configuration)],
            environment={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            folder=self.home.valkey,
        )
        if not self._answers(child):
            raise ServiceFailed(child.failure())

    def _answers(self, child: Child) -> bool:
        client = redis.Redis.from_url(self.remembered.redis_url, socket_timeout=2)
        deadline = time.monotonic() + START_SECONDS
        try:
            while child.alive and time.monotonic() < deadline:
                try:
                    client.ping()
                except (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError):
                    time.sleep(0.05)
                else:
                    return True
            return False
        finally:
            client.close()
