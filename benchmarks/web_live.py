"""Milliseconds from a worker's point to a follower, with many pages open.

    python -m benchmarks.web_live [--runs 10] [--rate 20] [--pages 50] [--seconds 20]
                                  [--main-thread]

Starts a Postgres, a broker and the web of its own. Two processes record points as workers do, each
run so many a second; the followers are plain websocket clients, and one of them is a real browser
on a run's page. For a client a point counts when its message has been read, for the browser when
the curve of the meta-loss reaches it. Prints medians and 95th percentiles, and, since a busy
machine makes everybody wait, how busy it was and which part of a core the web and the workers took.
With `--main-thread` the browser is not asked how far its curve goes, which costs it time of its
own, but how busy its main thread is with six charts in sight.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import threading
import time
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

import psutil
from playwright.async_api import async_playwright
from websockets.asyncio.client import connect

from benchmarks.web_charts import DRAWN, SIX_CHARTS, by_name, shares_of
from benchmarks.web_lab import WebLab, launched, web_lab
from tests.browser import CHROMIUM_FLAGS, chromium

SERIES = ("meta_loss", "seconds", "inner_steps", "peak_bytes", "theta.learning_rate", "cosine")
WATCH = r"""() => {
  window.drawn = [];
  const plot = document.querySelector('[data-chart="meta_loss"] [data-plot]');
  const look = () => {
    const { xaxis, yaxis } = plot._fullLayout;
    const ends = [...plot.querySelectorAll(".js-line, .live-line")]
      .map((path) => path.getAttribute("d").match(/([-\d.]+),([-\d.]+)$/).slice(1).map(Number))
      .filter(([, y]) => y >= 0 && y <= yaxis._length)
      .map(([x]) => Math.floor(xaxis.p2d(Math.min(x, xaxis._length)) + 0.1));
    window.drawn.push([Date.now(), Math.max(-1, ...ends)]);
  };
  const watched = { subtree: true, childList: true, attributeFilter: ["d"] };
  new MutationObserver(look).observe(plot, watched);
}"""
"""How far the curve of the meta-loss goes within its axes, each time that it changes."""
READY = """() => document.querySelector('[data-chart="meta_loss"] [data-plot]')?.on !== undefined"""
WARM_UP = 3.0
"""Seconds at the start that do not count: pages still load."""


@dataclass
class Heard:
    """Latencies in milliseconds."""

    clients: list[float] = field(default_factory=list)
    browser: list[float] = field(default_factory=list)
    drawings: int = 0
    charts: int = 0
    main_thread: dict[str, float] = field(default_factory=dict)
    """Shares of the time that Chrome counted for the browser's page, by counter."""
    web: float = 0.0
    """Part of a core that it used."""
    workers: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_live")
    parser.add_argument("--runs", type=int, default=10, help="runs that make points (10)")
    parser.add_argument("--rate", type=float, default=20.0, help="points a second of each (20)")
    parser.add_argument("--pages", type=int, default=50, help="open pages (50)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long (20)")
    parser.add_argument(
        "--main-thread", action="store_true", help="how busy the browser is, not when it has drawn"
    )
    options = parser.parse_args()
    with web_lab() as lab:
        runs = launched(outer={"steps": 100_000}, seeds=list(range(options.runs))).runs
        run_ids = list(runs.order_by("number").values_list("pk", flat=True))
        heard = asyncio.run(measure(lab, run_ids, options))
    print(f"{'message read':14}{summary(heard.clients)}")
    if options.main_thread:
        counted = ", ".join(f"{name} {share:.1%}" for name, share in heard.main_thread.items())
        print(f"{heard.charts} charts drawn; of the time: {counted}")
    else:
        print(f"{'chart drawn':14}{summary(heard.browser)}")
        print(f"{heard.drawings / options.seconds:.1f} drawings of the chart a second")
    load, _, _ = os.getloadavg()
    print(
        f"{heard.web:.2f} cores for the web, {heard.workers:.2f} for the workers; "
        f"load {load:.1f} on {os.cpu_count()} cores"
    )


def emit(run_ids: list[int], rate: float, seconds: float, sent: Any) -> None:
    """A worker's process: a thread a run, each with the recorder that workers use."""
    import django

    django.setup()
    from django.db import connection

    from engine.events import Point
    from webapp.runs.recorder import Recorder
    from webapp.runs.services import claim

    def work(run_id: int, offset: float) -> None:
        run = claim(run_id=run_id, worker="benchmark")
        with Recorder(run) as recorder:
            time.sleep(offset)
            begun = time.monotonic()
            emitted = []
            for step in range(int(rate * seconds)):
                time.sleep(max(0.0, begun + step / rate - time.monotonic()))
                now = 1e3 * time.time()
                emitted.append(now)
                values = dict.fromkeys(SERIES, 1 / (1 + step)) | {"emitted": now}
                recorder.add_point(Point(run=0, step=step, values=values))
            recorder.flush()
        sent.put((run_id, emitted, time.thread_time()))
        connection.close()

    threads = [
        threading.Thread(target=work, args=(run_id, 0.05 * index))
        for index, run_id in enumerate(run_ids)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def measure(lab: WebLab, run_ids: list[int], options: Any) -> Heard:
    heard = Heard()
    spawn = multiprocessing.get_context("spawn")
    sent: Any = spawn.Queue()
    length = options.seconds + WARM_UP
    workers = [
        spawn.Process(target=emit, args=(run_ids[part::2], options.rate, length, sent))
        for part in (0, 1)
    ]
    clients = [
        asyncio.create_task(follow(lab, run_ids[index % len(run_ids)], heard))
        for index in range(options.pages - 1)
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        size = SIX_CHARTS if options.main_thread else {"width": 1366, "height": 768}
        context = await browser.new_context(bypass_csp=True, viewport=size)
        await context.add_cookies([lab.browser_cookie])
        page = await context.new_page()
        for worker in workers:
            worker.start()
        await page.goto(f"{lab.url}/runs/{run_ids[0]}/")
        await page.wait_for_function(READY)
        if options.main_thread:
            chrome = await context.new_cdp_session(page)
            await chrome.send("Performance.enable")
            await asyncio.sleep(WARM_UP)
            before = await chrome.send("Performance.getMetrics")
        else:
            await page.evaluate(WATCH)
        web = psutil.Process(lab.process)
        begun, used = time.monotonic(), sum(web.cpu_times()[:2])
        found = [await asyncio.to_thread(sent.get) for _ in run_ids]
        heard.web = (sum(web.cpu_times()[:2]) - used) / (time.monotonic() - begun)
        heard.workers = sum(cpu for _, _, cpu in found) / length
        if options.main_thread:
            after = await chrome.send("Performance.getMetrics")
            heard.main_thread = shares_of(by_name(before), by_name(after))
            heard.charts = await page.evaluate(DRAWN)
        await asyncio.sleep(1.0)
        drawn = await page.evaluate("window.drawn ?? []")
        await browser.close()
    for client in clients:
        client.cancel()
    begun = min(emitted[0] for _, emitted, _ in found)
    heard.clients = [took for at, took in heard.clients if at > begun + 1e3 * WARM_UP]
    heard.drawings = sum(at > begun + 1e3 * WARM_UP for at, _ in drawn)
    own = next(emitted for run_id, emitted, _ in found if run_id == run_ids[0])
    heard.browser = drawn_after(own, drawn, begun + 1e3 * WARM_UP)
    return heard


async def follow(lab: WebLab, run_id: int, heard: Heard) -> None:
    """A page's websocket: keeps when each point was emitted, and how long it took to come."""
    headers = {"Cookie": "=".join(lab.cookie), "Origin": lab.url}
    async with connect(f"ws://{lab.address}/ws/runs/", additional_headers=headers) as socket:
        await socket.send(json.dumps({"subscribe": {str(run_id): 0}}))
        async for text in socket:
            now = 1e3 * time.time()
            message = json.loads(text)
            for emitted in message.get("series", {}).get("emitted", ([], []))[1]:
                heard.clients.append((emitted, now - emitted))


def drawn_after(emitted: list[float], drawn: list[list[float]], begun: float) -> list[float]:
    """For each point emitted after `begun`, how long until a drawing had it."""
    taken, position = [], 0
    for step, at in enumerate(emitted):
        while position < len(drawn) and drawn[position][1] < step:
            position += 1
        if at > begun and position < len(drawn):
            taken.append(drawn[position][0] - at)
    return taken


def summary(taken: list[float]) -> str:
    if len(taken) < 2:
        return "nothing came"
    return (
        f"median {median(taken):6.0f} ms, 95 % within {quantiles(taken, n=20)[-1]:6.0f} ms, "
        f"of {len(taken):,} points"
    )


if __name__ == "__main__":
    main()
