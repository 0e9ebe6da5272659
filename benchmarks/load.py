"""A whole lab under many people at once: 200 watch, 50 launch, 20 export.

    python -m benchmarks.load [--watching 200] [--launching 50] [--exporting 20] [--seconds 300]
                              [--out docs/results/load.json]

Starts a lab of its own as `make run` does, workers and limits included. Each person has an account
and a session of their own. Who watches opens a run's page and follows it by its websocket; who
launches sends a small experiment, waits until it has ended, and launches the next; who exports
takes figures as CSV, SVG and PDF. The people share the machine's cores with the lab.

Exit status 1 where anything was refused or broke, a point was missing or came twice, or a process
grew without end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.load_people import Person, export, launch, watch
from benchmarks.load_report import Memory, report, table
from tests.lab_process import LabProcess, remove_home
from webapp.supervisor.home import Home

MAKE_PEOPLE = """
import json
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from webapp.accounts.models import User
Session = import_module(settings.SESSION_ENGINE).SessionStore
cookies = []
for number in range({count}):
    user = User.objects.create(username=f"person-{{number}}")
    session = Session()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    cookies.append(session.session_key)
print(json.dumps([settings.SESSION_COOKIE_NAME, cookies]))
"""
ARRIVE_WITHIN = 30.0
"""Seconds over which people arrive: nobody opens 270 pages in one moment."""


@dataclass
class Seen:
    """What everybody met together."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    """How long each kind of request took."""
    errors: dict[str, int] = field(default_factory=dict)
    """What went wrong, and how often."""
    runs: list[int] = field(default_factory=list)
    """Runs that were launched, the newest last."""
    points: int = 0
    """Entries of series that came by websocket."""
    ended: int = 0
    """Runs whose end their launcher saw."""

    def took(self, kind: str, seconds: float) -> None:
        self.seconds.setdefault(kind, []).append(seconds)

    def broke(self, what: str) -> None:
        self.errors[what] = self.errors.get(what, 0) + 1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--watching", type=int, default=200, help="people who watch (200)")
    parser.add_argument("--launching", type=int, default=50, help="people who launch (50)")
    parser.add_argument("--exporting", type=int, default=20, help="people who export (20)")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long (300)")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args()
    home = Home(Path(tempfile.mkdtemp(prefix="lab-load-")))
    lab = LabProcess(home.root)
    try:
        lab.start()
        found = asyncio.run(measured(lab, options))
    finally:
        lab.stop()
        remove_home(home)
    print(table(found))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(0 if found["passed"] else 1)


async def measured(lab: LabProcess, options: argparse.Namespace) -> dict[str, Any]:
    count = options.watching + options.launching + options.exporting
    name, cookies = json.loads(people_of(lab, count).splitlines()[-1])
    people = [Person(lab.url, f"{name}={cookie}") for cookie in cookies]
    seen, memory = Seen(), Memory(lab.process.pid)
    acts = [launch] * options.launching + [watch] * options.watching + [export] * options.exporting
    until = time.monotonic() + options.seconds
    begun = time.time()
    async with asyncio.TaskGroup() as group:
        group.create_task(memory.sample(until))
        for number, (person, act) in enumerate(zip(people, acts, strict=True)):
            wait = ARRIVE_WITHIN * number / count
            group.create_task(arrived(act, person, seen, until, wait))
    return report(seen, memory, options, time.time() - begun)


def people_of(lab: LabProcess, count: int) -> str:
    return lab.manage("shell", "-v", "0", "-c", MAKE_PEOPLE.format(count=count))


async def arrived(act: Any, person: Person, seen: Seen, until: float, wait: float) -> None:
    """One person from their arrival until the end; what breaks is noted, and they try again."""
    await asyncio.sleep(wait)
    async with person:
        while time.monotonic() < until:
            try:
                await act(person, seen, until)
            except Exception as error:
                # Whatever it was, it is what is looked for here.
                seen.broke(f"{act.__name__}: {type(error).__name__}: {error}"[:200])
                await asyncio.sleep(1.0)


if __name__ == "__main__":
    os.environ.pop("RATE_LIMITS", None)
    main()
