"""How busy a browser's main thread is while the charts of a run stream, against a running lab.

    python -m benchmarks.web_charts http://localhost:8000/sign-in/… [--seconds N] [--json]

Launches a run of many quick outer steps, opens its page in a window in which at least six charts
are in sight, and reads Chrome's own counters (CDP `Performance.getMetrics`) at the two ends of a
while: `TaskDuration`, the seconds in which the main thread was in a task, and `ThreadTime`, those
in which it had a processor. The link is one that `manage.py sign_in_link` prints. The run is
cancelled at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, Page, sync_playwright

SPEC = """
name: charts that stream
inner_task: {kind: quadratic, dimension: 10, noise: 0.1}
inner: {steps: 10}
estimators: [{kind: truncated, window: 5}]
outer: {steps: 100000}
probes: {every: 10, draws: 2}
"""
SIX_CHARTS = {"width": 1366, "height": 1500}
WARM_UP_MS = 8_000
LONGEST_MS = 180_000
TARGET = 0.3
COUNTERS = ("TaskDuration", "ThreadTime", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
DRAWN = (
    "document.querySelectorAll('[data-chart] .js-plotly-plot, [data-plot].js-plotly-plot').length"
)
RECEIVED = """Number(document.querySelector("[data-proof]").textContent
  .match(/seq ([\\d,]+)|$/)[1]?.replaceAll(",", "") ?? 0)"""


def launch(page: Page, lab: str) -> int:
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    headers = {"Content-Type": "application/yaml", "X-CSRFToken": token, "Referer": lab}
    answer = page.request.post(f"{lab}/api/v1/experiments", data=SPEC, headers=headers)
    if answer.status != 201:
        raise RuntimeError(f"the lab refused the run: {answer.text()}")
    return answer.json()["runs"][0]["id"]


def counters(session: CDPSession) -> dict[str, float]:
    return by_name(session.send("Performance.getMetrics"))


def by_name(answer: dict[str, Any]) -> dict[str, float]:
    """Of `Performance.getMetrics`."""
    return {item["name"]: item["value"] for item in answer["metrics"]}


def shares_of(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Of the time between two readings."""
    wall = after["Timestamp"] - before["Timestamp"]
    return {name: (after[name] - before[name]) / wall for name in COUNTERS if name in after}


def measure(page: Page, seconds: float) -> dict[str, Any]:
    """Shares of `seconds` of the main thread, with what was drawn in them."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    points, before = page.evaluate(RECEIVED), counters(session)
    page.wait_for_timeout(1000 * seconds)
    after = counters(session)
    wall = after["Timestamp"] - before["Timestamp"]
    return {
        "seconds": wall,
        "charts": page.evaluate(DRAWN),
        "points_per_second": (page.evaluate(RECEIVED) - points) / wall,
        "shares": shares_of(before, after),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.web_charts")
    parser.add_argument("link", help="a sign-in link of the running lab")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to watch (30)")
    parser.add_argument("--json", action="store_true", help="one JSON document, nothing else")
    options = parser.parse_args()
    lab = "{0.scheme}://{0.netloc}".format(urlsplit(options.link))
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        # The page's own policy forbids the evaluation with which it is asked what it shows.
        page = browser.new_context(bypass_csp=True, viewport=SIX_CHARTS).new_page()
        page.set_default_timeout(LONGEST_MS)
        page.goto(options.link)
        run = launch(page, lab)
        page.goto(f"{lab}/runs/{run}/")
        page.wait_for_function(f"{RECEIVED} > 50", timeout=LONGEST_MS)
        page.wait_for_timeout(WARM_UP_MS)
        found = measure(page, options.seconds)
        page.get_by_role("button", name="Cancel").first.click()
        page.get_by_role("button", name="Cancel the run").click()
        browser.close()
    print(json.dumps(found, indent=1) if options.json else told(found))


def told(found: dict[str, Any]) -> str:
    shares = found["shares"]
    busy = shares["TaskDuration"]
    lines = [
        f"{found['charts']} charts, {found['points_per_second']:.1f} points a second, "
        f"{found['seconds']:.0f} s",
        *(f"  {name:<20} {share:6.1%}" for name, share in shares.items()),
        f"main thread busy {busy:.0%}; target below {TARGET:.0%}: "
        f"{'met' if busy < TARGET else 'missed'}",
        f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; above that "
        "number a task waits, and its waiting counts as busy, but not as ThreadTime",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
