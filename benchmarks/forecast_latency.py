"""Seconds from an edit in the builder to the forecast panel, against a running lab.

    python -m benchmarks.forecast_latency http://localhost:8000/sign-in/… [--rounds N]

A real browser types another horizon (a spec that has been traced: only its sizes are new) and
another number of hidden units (a spec that has to be traced), and waits until the panel shows the
forecast of what was typed. The link is one that `manage.py sign_in_link` prints.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from statistics import median
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

PRESET = "short-window"
SHOWS = """value => {
  const asking = document.querySelector("#forecast-asking");
  const panel = document.querySelector("#forecast");
  return document.querySelector("#yaml-text").value.includes(value)
    && !("stale" in asking.dataset) && panel.dataset.key === asking.dataset.key
    && panel.querySelector(".forecast-rows") !== null;
}"""
LONGEST_MS = 60_000
HORIZONS = range(41, 80)
WIDTHS = range(33, 64)


def measure(page: Page, field: str, values: list[int], written: str) -> list[float]:
    """Seconds from each edit of `field` to the panel that shows it."""
    found = []
    for value in values:
        started = time.perf_counter()
        page.locator(f"[name='{field}']").fill(str(value))
        page.wait_for_function(SHOWS, arg=written.format(value), timeout=LONGEST_MS, polling=10)
        found.append(time.perf_counter() - started)
        page.wait_for_timeout(500)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast_latency")
    parser.add_argument("link", help="a sign-in link of the running lab")
    parser.add_argument("--rounds", type=int, default=7, help="edits of each kind (7)")
    options = parser.parse_args()
    lab = "{0.scheme}://{0.netloc}".format(urlsplit(options.link))
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        # The page's own policy forbids the evaluation with which it is asked what it shows.
        page = browser.new_context(bypass_csp=True).new_page()
        page.goto(options.link)
        page.goto(f"{lab}/experiments/new?preset={PRESET}")
        page.wait_for_function(SHOWS, arg="name:", timeout=LONGEST_MS)
        page.wait_for_timeout(5000)
        rounds = options.rounds
        seconds = {
            "traced": measure(page, "inner.steps", list(HORIZONS[:rounds]), "steps: {}"),
            "new": measure(page, "inner_task.hidden", list(WIDTHS[:rounds]), "- {}"),
        }
        browser.close()
    rows = {
        name: {"median": median(found), "largest": max(found), "edits": len(found)}
        for name, found in seconds.items()
    }
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
