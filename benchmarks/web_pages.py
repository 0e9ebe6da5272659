"""The first load of every page: seconds, bytes and requests, with nothing in the browser's cache.

    python -m benchmarks.web_pages [--rounds 3]

Starts a Postgres, a broker and the web of its own, with one run of a thousand points, and opens in
a real browser every page that the frame leads to, the run's, its experiment's and a comparison.
Seconds are from the request to the end of the browser's load event, and where a page has charts
until the last one in view is drawn; bytes are what came over the network, compressed as it came.
A busy machine makes everybody wait: the seconds that the web's process had a CPU for it leave that
out.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from statistics import median

import psutil
from playwright.sync_api import Browser, sync_playwright

from benchmarks.web_lab import WebLab, launched, web_lab
from tests.browser import CHROMIUM_FLAGS, chromium

COLUMNS = (("first byte", 11), ("loaded", 9), ("drawn", 9), ("web CPU", 10), ("kB", 8))
HEAD = f"{'page':34}" + "".join(f"{name:>{width}}" for name, width in (*COLUMNS, ("requests", 10)))
POINTS = 1_000
LONGEST_SECONDS = 1.0
MOST_BYTES = 150_000
"""Of a page without charts."""
LOADED = """() => {
  const { loadEventEnd, responseStart } = performance.getEntriesByType("navigation")[0];
  return loadEventEnd > 0 ? [responseStart / 1000, loadEventEnd / 1000] : null;
}"""
DRAWN = """() => {
  const plots = [...document.querySelectorAll("[data-plot]")].filter((plot) => {
    const { top, height } = plot.getBoundingClientRect();
    return height > 0 && top < innerHeight;
  });
  const drawn = plots.every((plot) => plot.querySelector(".plot-container, svg"));
  return drawn ? performance.now() / 1000 : null;
}"""


@dataclass(frozen=True)
class Load:
    first_byte: float
    loaded: float
    drawn: float
    web: float
    bytes: int
    requests: int
    plotly: bool


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_pages")
    parser.add_argument("--rounds", type=int, default=3, help="loads of each page (3)")
    options = parser.parse_args()
    with web_lab() as lab:
        pages = [*recorded(), "/account/", "/account/tokens/"]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
            pages = [*dict.fromkeys([*frame(browser, lab), *pages])]
            print(HEAD)
            for page in pages:
                loads = [load(browser, lab, page) for _ in range(options.rounds)]
                print(line(page, loads), flush=True)
            browser.close()


def recorded() -> list[str]:
    """The pages of an experiment, one of whose runs has points."""
    from engine.events import Point
    from webapp.runs import services

    experiment = launched(outer={"steps": POINTS}, seeds=[0, 1])
    runs = list(experiment.runs.order_by("number"))
    for run in runs:
        services.claim(run_id=run.pk, worker="benchmark")
        points = [
            Point(
                run=0,
                step=step,
                values={"meta_loss": 1 / (1 + step), "seconds": step / 20, "cosine": 0.9},
            )
            for step in range(POINTS)
        ]
        services.record_points(run_id=run.pk, attempt=1, points=points)
        services.finish(run_id=run.pk, attempt=1, status="finished")
    ids = ",".join(str(run.pk) for run in runs)
    return [f"/experiments/{experiment.pk}/", f"/runs/{runs[0].pk}/", f"/compare?runs={ids}"]


def frame(browser: Browser, lab: WebLab) -> list[str]:
    """Where the frame's links lead."""
    page = visitor(browser, lab)
    page.goto(lab.url)
    links = page.eval_on_selector_all(
        "nav a[href]", "links => links.map((link) => link.getAttribute('href'))"
    )
    page.context.close()
    return [link for link in links if link.startswith("/")]


def visitor(browser: Browser, lab: WebLab):
    """A page of a browser that has seen nothing yet but the sign-in."""
    context = browser.new_context(bypass_csp=True, viewport={"width": 1366, "height": 768})
    context.add_cookies([lab.browser_cookie])
    return context.new_page()


def load(browser: Browser, lab: WebLab, path: str) -> Load:
    page = visitor(browser, lab)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[float] = []
    urls: list[str] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    network.on("Network.requestWillBeSent", lambda event: urls.append(event["request"]["url"]))
    web = psutil.Process(lab.process)
    used = sum(web.cpu_times()[:2])
    answer = page.goto(f"{lab.url}{path}", wait_until="load")
    assert answer is not None
    assert answer.status == 200, f"{path}: {answer.status}"
    first_byte, loaded = page.wait_for_function(LOADED).json_value()
    drawn = page.wait_for_function(DRAWN, polling=20).json_value()
    page.wait_for_load_state("networkidle")
    page.context.close()
    return Load(
        first_byte=first_byte,
        loaded=loaded,
        drawn=max(drawn, loaded),
        web=sum(web.cpu_times()[:2]) - used,
        bytes=int(sum(sizes)),
        requests=len(urls),
        plotly=any("/vendor/plotly/" in url for url in urls),
    )


def line(path: str, loads: list[Load]) -> str:
    """The medians; an exclamation mark where a page is beyond what it may be."""
    names = ("first_byte", "loaded", "drawn", "web")
    first_byte, loaded, drawn, web = (median(getattr(one, name) for one in loads) for name in names)
    size = median(one.bytes for one in loads)
    plotly = any(one.plotly for one in loads)
    beyond = loaded > LONGEST_SECONDS or (size > MOST_BYTES and not plotly)
    return (
        f"{path:34}{first_byte:9.2f} s{loaded:7.2f} s{drawn:7.2f} s{web:8.2f} s{size / 1e3:8.0f}"
        f"{loads[0].requests:10d}{'  with charts' if plotly else ''}{'  !' if beyond else ''}"
    )


if __name__ == "__main__":
    main()
