"""A lab whose programs are kept as a service manager keeps them: each can be killed, and started
again, alone. They are the programs of `make run`, with its settings, on a folder of their own."""

from __future__ import annotations

import http.client
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from tests.lab_process import PROJECT_ROOT, remove_home
from webapp.supervisor import programs
from webapp.supervisor.child import Child, kill_group
from webapp.supervisor.children import Children
from webapp.supervisor.embedded import EmbeddedServices
from webapp.supervisor.home import Home, free_port
from webapp.supervisor.postgres import Postgres
from webapp.supervisor.valkey import Valkey

Found = TypeVar("Found")
CELERY = (sys.executable, "-m", "celery", "-A")


def wait_until(
    condition: Callable[[], Found], *, seconds: float = 120.0, every: float = 0.02, what: str = ""
) -> Found:
    """What `condition` gives once that is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what or condition}"
        time.sleep(every)
    return found


class LooseLab:
    """`workers` by name; the database is also that of this process, with Django set up on it."""

    def __init__(self, home: Home, services: EmbeddedServices, environment: dict[str, str]) -> None:
        self.home = home
        self.services = services
        self.children = Children(home, "applications")
        self.environment = environment
        self.workers: dict[str, Child] = {}
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._started = 0

    # -- servers --
    def kill_service(self, name: str) -> None:
        """`postgres` or `valkey`, by SIGKILL."""
        self._kill(self._member(self.services.children, name), self.services.children)

    def start_service(self, name: str) -> None:
        """Returns once it answers."""
        server = {"postgres": Postgres, "valkey": Valkey}[name]
        server(self.home, self.home.recall(), self.services.children).start()

    # -- the web --
    def start_web(self) -> None:
        """Returns once it answers."""
        self.children.start(
            "web",
            list(programs.web(self.port).command),
            environment=self.environment,
            folder=PROJECT_ROOT,
        )
        wait_until(self.web_answers, what="the web answers")

    def kill_web(self) -> None:
        self._kill(self._member(self.children, "web"), self.children)

    def web_answers(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        return False

    # -- workers --
    def start_worker(self, app: str = "webapp.celery", **environment: str) -> str:
        """Start a worker that executes one run at once; returns its name without waiting."""
        self._started += 1
        name = f"w{self._started}"
        self.workers[name] = self.children.start(
            name,
            [
                *(*CELERY, app, "worker", "-Q", "cpu", "-n", f"{name}@%h"),
                *("--concurrency", "1", "--pool", "prefork", *programs.QUIET),
            ],
            environment={**self.environment, "CUDA_VISIBLE_DEVICES": "", **environment},
            folder=PROJECT_ROOT,
        )
        return name

    def wait_for_worker(self, name: str) -> None:
        from webapp.workers.models import Worker

        def ready() -> bool:
            assert self.workers[name].alive, self.workers[name].failure()
            return Worker.objects.filter(name__startswith=f"{name}@").exists()

        wait_until(ready, every=0.1, what=f"the worker {name} is ready")

    def ready_worker(self, app: str = "webapp.celery", **environment: str) -> str:
        name = self.start_worker(app, **environment)
        self.wait_for_worker(name)
        return name

    def kill_worker(self, name: str) -> None:
        """Parent and pool at once, as a power cut does it."""
        self._kill(self.workers.pop(name), self.children)

    def stop_worker(self, name: str) -> None:
        """As the supervisor does it."""
        child = self.workers.pop(name)
        child.ask_to_stop()
        child.wait(seconds=30)
        self.children.forget(child)

    def stop_workers(self) -> None:
        for name in list(self.workers):
            self.kill_worker(name)
        from webapp.workers.models import Worker

        wait_until(lambda: patiently(Worker.objects.all().delete), what="the database answers")

    def begin_anew(self) -> None:
        """After an attempt that failed in its middle: servers run, nothing else does."""
        for child in list(self.children.members):
            self._kill(child, self.children)
        self.workers.clear()
        running = {child.name for child in self.services.children.members if child.alive}
        for name in {"postgres", "valkey"} - running:
            self.start_service(name)
        from webapp.runs.models import Run

        wait_until(lambda: patiently(Run.objects.exists) is not None, what="the database answers")
        Run.objects.all().delete()

    @staticmethod
    def _member(children: Children, name: str) -> Child:
        return next(child for child in children.members if child.name == name)

    @staticmethod
    def _kill(child: Child, children: Children) -> None:
        kill_group(child.process.pid)
        child.process.wait()
        children.forget(child)


def patiently(question: Callable[[], Found]) -> Found | None:
    """The answer of the database; None while it is away."""
    from django.db import InterfaceError, OperationalError, connection

    try:
        return question()
    except (OperationalError, InterfaceError):
        connection.close()
        return None


@contextmanager
def loose_lab(**environment: str) -> Iterator[LooseLab]:
    """Postgres and Valkey run; web and workers are the caller's to start."""
    home = Home(Path(tempfile.mkdtemp(prefix="lab-faults-")))
    home.prepare()
    services = EmbeddedServices(home)
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        os.environ.pop(name, None)
    lab = None
    try:
        os.environ.update(services.start())
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "webapp.settings.development",
            "LAB_HOME": str(home.root),
            "RATE_LIMITS": "off",
            "OMP_NUM_THREADS": "1",
            **environment,
        }
        _set_up()
        lab = LooseLab(home, services, dict(os.environ))
        yield lab
    finally:
        if lab:
            for child in list(lab.children.members):
                kill_group(child.process.pid)
        services.stop()
        if os.environ.get("KEEP_FAULTS_LOGS"):
            shutil.copytree(home.logs, os.environ["KEEP_FAULTS_LOGS"], dirs_exist_ok=True)
        remove_home(home)


def _set_up() -> None:
    import logging

    import django

    django.setup()
    from django.core.management import call_command

    from webapp.accounts.services import create_member

    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)
    create_member(name="ada")


def launched(**changes: Any) -> list[Any]:
    """The runs of a new experiment of the member, in order."""
    from tests.webapp import factories
    from webapp.accounts.models import User

    experiment = factories.launched(User.objects.get(username="ada"), **changes)
    return list(experiment.runs.order_by("number"))
