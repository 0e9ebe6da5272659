"""A web of its own for benchmarks: a database, a broker and the server, in a temporary folder.

Nothing is computed: runs belong to a device that no worker has, so that a benchmark can play the
worker.
"""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab_process import remove_home
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import Home, free_port
from webapp.supervisor.programs import web

SPEC = {
    "name": "benchmark",
    "inner_task": {"kind": "quadratic"},
    "meta_parameters": [{"kind": "learning_rate"}],
    "device": "cuda",
}


@dataclass(frozen=True)
class WebLab:
    """Where the web is, and the session of a person who is signed in."""

    address: str
    cookie: tuple[str, str]
    process: int
    """Of the web."""

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def browser_cookie(self) -> dict[str, str]:
        name, value = self.cookie
        return {"name": name, "value": value, "url": self.url}


@contextmanager
def web_lab() -> Iterator[WebLab]:
    """The web, running; this process has Django set up on the same database."""
    home = Home(Path(tempfile.mkdtemp(prefix="lab-bench-")))
    home.prepare()
    services = EmbeddedServices(home)
    server = None
    try:
        os.environ.update(services.start())
        os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings.development"
        os.environ["LAB_HOME"] = str(home.root)
        os.environ["RATE_LIMITS"] = "off"
        cookie = _signed_in()
        port = free_port()
        with (home.root / "web.log").open("w") as printed:
            server = subprocess.Popen(web(port).command, stdout=printed, stderr=printed)  # noqa: S603
        while server.poll() is None and not _answers(port):
            time.sleep(0.1)
        yield WebLab(f"localhost:{port}", cookie, server.pid)
    finally:
        if server is not None:
            server.terminate()
            server.wait()
        services.stop()
        remove_home(home)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _signed_in() -> tuple[str, str]:
    """The cookie of a session of a new member, in a database that is migrated."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from webapp.accounts.services import create_member

    call_command("migrate", verbosity=0)
    client = Client()
    client.force_login(create_member(name="ada"))
    return settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value


def launched(**changes: Any) -> Any:
    """An experiment of the member, with runs that no worker takes."""
    from engine.spec import validate
    from webapp.accounts.models import User
    from webapp.experiments.services import create_experiment

    spec = validate({**SPEC, **changes})
    return create_experiment(owner=User.objects.get(username="ada"), experiment=spec, insist=True)
