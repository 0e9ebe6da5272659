"""People who watch: real pages in Chromium, and clients that speak a page's protocol to the letter,
numbered frames, cursors and reconnections included."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from playwright.sync_api import Page, sync_playwright
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.browser import CHROMIUM_FLAGS, chromium
from tests.faults.loose_lab import LooseLab, wait_until
from tests.faults.truth import Series
from tests.webapp.live.follower import Follower

RECONNECT_SECONDS = 0.4


class Watchers:
    """`followers` run in a thread of their own until `stop`."""

    def __init__(self, lab: LooseLab, run_ids: list[int], number: int) -> None:
        self.lab = lab
        self.cookie = session_cookie()
        self.followers = [(run_ids[index % len(run_ids)], Follower()) for index in range(number)]
        self.reconnections = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._follow_all()), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def have(self, sequence: int) -> bool:
        """Whether each of them has at least so many points."""
        return all(follower.sequence >= sequence for _, follower in self.followers)

    def see_end(self) -> bool:
        return all(follower.status == "finished" for _, follower in self.followers)

    def faults(self) -> int:
        """Points that a follower got twice, or that it was told of past a gap."""
        return sum(follower.doubled + follower.gaps for _, follower in self.followers)

    async def _follow_all(self) -> None:
        tasks = [asyncio.create_task(self._follow(*each)) for each in self.followers]
        while not self._stopping.is_set():
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()

    async def _follow(self, run_id: int, follower: Follower) -> None:
        headers = {"Cookie": "=".join(self.cookie), "Origin": self.lab.url}
        address = f"ws://localhost:{self.lab.port}/ws/runs/"
        while True:
            with suppress(OSError, WebSocketException, TimeoutError):
                async with connect(address, additional_headers=headers) as socket:
                    await socket.send(json.dumps({"subscribe": {str(run_id): follower.cursor()}}))
                    async for text in socket:
                        follower.take(json.loads(text))
            self.reconnections += 1
            await asyncio.sleep(RECONNECT_SECONDS)


def session_cookie() -> tuple[str, str]:
    from django.conf import settings
    from django.test import Client

    from webapp.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username="ada"))
    return settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value


@contextmanager
def pages(lab: LooseLab, run_ids: list[int], number: int) -> Iterator[list[Page]]:
    """So many real pages of runs, each once it has drawn its first chart."""
    name, value = session_cookie()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.add_cookies([{"name": name, "value": value, "url": lab.url}])
        opened = []
        for index in range(number):
            page = context.new_page()
            page.goto(f"{lab.url}/runs/{run_ids[index % len(run_ids)]}/")
            opened.append(page)
        yield opened
        browser.close()


def received(page: Page) -> int:
    """How many points the page says that it has."""
    words = page.locator("[data-proof]").inner_text().split()
    return int(words[1].replace(",", "")) if len(words) > 1 and words[0] == "seq" else 0


def proof_line(page: Page) -> str:
    return page.locator("[data-proof]").inner_text()


def wait_for_pages(opened: list[Page], sequence: int, *, seconds: float = 60) -> float:
    """Seconds until each has at least `sequence` points; nobody touches or reloads them."""
    began = time.monotonic()
    for page in opened:
        wait_until(
            lambda page=page: _turned(page) and received(page) >= sequence,
            seconds=seconds,
            every=0.05,
            what=f"a page has {sequence} points: {proof_line(page)}",
        )
    return time.monotonic() - began


def _turned(page: Page) -> bool:
    """Playwright's events are handled while it waits."""
    page.wait_for_timeout(20)
    return True


def shown(follower: Follower, names: set[str]) -> Series:
    """What a follower has of `names`, as bytes."""
    import numpy as np

    found: dict[str, Any] = {}
    for name, entries in follower.entries.items():
        if name in names and entries:
            steps = sorted(entries)
            found[name] = (
                np.array(steps, "<i8").tobytes(),
                np.array([entries[step] for step in steps], "<f8").tobytes(),
            )
    return found
