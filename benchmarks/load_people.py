"""What people of a lab do all day: watch a run, launch an experiment, take a figure."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from typing import TYPE_CHECKING, Any, Self

import httpx
from websockets.asyncio.client import connect

from tests.webapp.live.follower import Follower

if TYPE_CHECKING:
    from benchmarks.load import Seen

SPEC = {
    "inner_task": {"kind": "quadratic", "dimension": 16, "noise": 0.1},
    "inner": {"steps": 20},
    "meta_parameters": [{"kind": "learning_rate"}],
    "estimators": [{"kind": "truncated", "window": 5}],
    "outer": {"steps": 200},
    "probes": {"every": 20, "draws": 4},
}
"""Some two hundred points in a second or two of a core."""
LOOKS = 5.0
"""Seconds between two looks at a run that one waits for."""
READS = 5.0
"""Seconds of thought before the next thing."""
STAYS = 60.0
"""Seconds on one run's page."""
ENDS = {"finished", "failed", "cancelled", "out_of_budget", "diverged"}
FILES = itertools.cycle(["csv", "svg", "json", "pdf"])
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
numbers = itertools.count(1)


class Person:
    """A browser that is signed in."""

    def __init__(self, url: str, cookie: str) -> None:
        self.url, self.cookie = url, cookie
        self.http = httpx.AsyncClient(
            base_url=url, headers={"Cookie": cookie, "Referer": url}, timeout=60.0
        )
        self.token = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def ask(self, seen: Seen, kind: str, method: str, path: str, **more: Any) -> Any:
        """The answer; its seconds are kept under `kind`, and what is no success as an error."""
        began = time.monotonic()
        answer = await self.http.request(method, path, **more)
        seen.took(kind, time.monotonic() - began)
        if not answer.is_success:
            raise RuntimeError(f"{kind}: {answer.status_code} {answer.text[:80]}")
        return answer


async def launch(person: Person, seen: Seen, until: float) -> None:
    """An experiment of one's own, looked at until it has ended."""
    if not person.token:
        page = await person.ask(seen, "builder", "GET", "/experiments/new")
        person.token = TOKEN.search(page.text)[1]
        csrf = page.cookies["csrftoken"]
        person.http.headers["Cookie"] = f"{person.cookie}; csrftoken={csrf}"
        person.http.headers["X-CSRFToken"] = person.token
    spec = {**SPEC, "name": f"load {next(numbers)}", "seeds": [random.randrange(10_000)]}  # noqa: S311
    made = await person.ask(seen, "launch", "POST", "/api/v1/experiments", json=spec)
    run = made.json()["runs"][0]["id"]
    seen.runs.append(run)
    while time.monotonic() < until:
        await asyncio.sleep(LOOKS)
        now = await person.ask(seen, "look at a run", "GET", f"/api/v1/runs/{run}")
        status = now.json()["status"]
        if status == "failed":
            seen.broke("a run failed")
        if status in ENDS:
            seen.ended += 1
            break
    await asyncio.sleep(READS)


async def watch(person: Person, seen: Seen, until: float) -> None:
    """A run's page, its charts, and its websocket for a minute."""
    if not seen.runs:
        await asyncio.sleep(1.0)
        return
    run = random.choice(seen.runs[-30:])  # noqa: S311
    await person.ask(seen, "run page", "GET", f"/runs/{run}/")
    await person.ask(seen, "figures", "GET", f"/figures/?runs={run}")
    headers = {"Cookie": person.cookie, "Origin": person.url}
    address = person.url.replace("http", "ws") + "/ws/runs/"
    follower, began, last_beat = Follower(), time.monotonic(), 0.0
    async with connect(address, additional_headers=headers, open_timeout=30.0) as socket:
        await socket.send(json.dumps({"subscribe": {str(run): 0}}))
        while time.monotonic() < min(until, began + STAYS):
            message = json.loads(await asyncio.wait_for(socket.recv(), 60.0))
            if message["type"] == "heartbeat":
                now = time.monotonic()
                if last_beat:
                    seen.took("between heartbeats", now - last_beat)
                last_beat = now
            elif message["type"] == "error":
                raise RuntimeError(f"websocket: {message}")
            else:
                follower.take(message)
    seen.points += sum(map(len, follower.entries.values()))
    for what, times in (("missing", follower.gaps), ("twice", follower.doubled)):
        if times:
            seen.broke(f"points {what}")


async def export(person: Person, seen: Seen, until: float) -> None:
    """A figure of up to four runs as a file."""
    if seen.runs:
        chosen = random.sample(seen.runs, min(4, len(seen.runs)))
        runs, extension = ",".join(map(str, chosen)), next(FILES)
        path = f"/exports/figure.{extension}?runs={runs}&metric=meta_loss"
        await person.ask(seen, f"export {extension}", "GET", path)
    await asyncio.sleep(2 * READS)
