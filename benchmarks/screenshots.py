"""Pictures of every page, for the README and for whoever reviews a change of looks.

    python -m benchmarks.screenshots [--into docs/screens] [--only NAME …]

Starts a lab of its own, runs two small experiments in it to their end and a preset while it looks,
and writes a WebP a page: at 1366 × 768, the names that end in `-dark` in the dark theme, those that
end in `-narrow` as a telephone of 390 × 844 shows them.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser import CHROMIUM_FLAGS, chromium
from tests.lab_process import LabProcess, remove_home
from webapp.supervisor.home import Home

WIDE = {"width": 1366, "height": 768}
NARROW = {"width": 390, "height": 844}
QUALITY = 80
COMPARISON = """
name: How wrong is a short window?
inner_task: {kind: quadratic, dimension: 20, noise: 0.3, condition_number: 30}
inner: {steps: 40}
meta_parameters: [{kind: learning_rate, initial: 0.02}]
estimators:
  - {kind: unrolled}
  - {kind: truncated, window: 5}
  - {kind: truncated, window: 20}
  - {kind: evolution, particles: 8}
outer: {steps: 40, optimizer: {kind: adam, learning_rate: 0.05}}
seeds: [0, 1, 2]
probes: {every: 4, draws: 8}
"""
SEARCH = """
name: Elites on a learning rate and a weight decay
inner_task: {kind: quadratic, dimension: 20, noise: 0.3, condition_number: 30}
inner: {steps: 40}
meta_parameters: [{kind: learning_rate, initial: 0.02}, {kind: weight_decay, initial: 0.1}]
estimators: [{kind: elites, population: 32}]
outer: {steps: 20}
"""
RUNNING = "full-or-checkpoint"
MOST_SECONDS = 600
SETTLED_MS = 1_500
"""For the charts to be drawn."""


@dataclass(frozen=True)
class Screen:
    name: str
    address: str
    """May name `{experiment}`, `{run}`, `{others}` and `{search}`."""
    click: str = ""
    """What is clicked before."""


SCREENS = (
    Screen("home", "/"),
    Screen("home-dark", "/"),
    Screen("home-narrow", "/"),
    Screen("builder", "/experiments/new?preset=short-window"),
    Screen("builder-dark", "/experiments/new?preset=short-window"),
    Screen("builder-narrow", "/experiments/new?preset=short-window"),
    Screen("experiment", "/experiments/{experiment}/"),
    Screen("runs", "/runs/"),
    Screen("runs-narrow", "/runs/"),
    Screen("run", "/runs/{run}/"),
    Screen("run-dark", "/runs/{run}/"),
    Screen("run-narrow", "/runs/{run}/"),
    Screen("search-run", "/runs/{search}/"),
    Screen("compare", "/compare?runs={others}"),
    Screen("compare-dark", "/compare?runs={others}"),
    Screen("queue", "/queue/"),
    Screen("queue-narrow", "/queue/"),
    Screen("forecasts", "/forecasts/"),
    Screen("graph-size", "/graph-size/"),
    Screen("gallery", "/gallery/"),
    Screen("gallery-narrow", "/gallery/"),
    Screen("gallery-prediction", "/gallery/truncation/"),
    Screen("gallery-question", "/gallery/truncation/", "[data-just-show]"),
    Screen(
        "gallery-hall-dark", "/gallery/elites/?generation=1&present=1", click="[data-just-show]"
    ),
    Screen("search", "/search?q=window"),
    Screen("help", "/help/"),
    Screen("help-fields", "/help/fields#estimators.truncated.window"),
    Screen("help-charts", "/help/charts"),
    Screen("help-estimators", "/help/estimators"),
    Screen("help-estimator-dark", "/help/estimators/truncated"),
    Screen("account", "/account/"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.screenshots")
    parser.add_argument("--into", type=Path, default=Path("docs/screens"), help="(docs/screens)")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="of these screens")
    options = parser.parse_args()
    known = {screen.name: screen for screen in SCREENS}
    if unknown := set(options.only or ()) - set(known):
        parser.error(f"no screen {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    options.into.mkdir(parents=True, exist_ok=True)
    home = Home(Path(tempfile.mkdtemp(prefix="lab-screens-")))
    lab = LabProcess(home.root)
    try:
        lab.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
            page = browser.new_page(base_url=lab.url)
            numbers = prepared(page, lab)
            state = page.context.storage_state()
            total = 0
            for name in options.only or known:
                path = options.into / f"{name}.webp"
                take(browser, lab.url, known[name], numbers, state, path)
                total += path.stat().st_size
                print(f"{path}  {path.stat().st_size / 1000:.0f} kB")
            print(f"{total / 1e6:.2f} MB in all")
            browser.close()
    finally:
        lab.stop()
        remove_home(home)


def prepared(page: Page, lab: LabProcess) -> dict[str, str]:
    """The lab with something in it; what the addresses of the screens name."""
    page.goto(lab.new_sign_in_link())
    page.locator("[data-tour-end]").click()
    first, second = (launched(page, spec) for spec in (COMPARISON, SEARCH))
    runs, (search, *_) = (wait_for(page, experiment) for experiment in (first, second))
    page.goto("/")
    form = f"form[action='/presets/{RUNNING}/launch']"
    page.eval_on_selector(form, "form => form.submit()")
    page.wait_for_url("**/experiments/*/")
    return {
        "experiment": str(first),
        "run": str(runs[0]),
        "others": ",".join(map(str, runs)),
        "search": str(search),
    }


def launched(page: Page, spec: str) -> int:
    """Launches a spec over the API; returns the experiment's number."""
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    answer = page.request.post(
        "/api/v1/experiments",
        data=spec,
        headers={"Content-Type": "application/yaml", "X-CSRFToken": token, "Referer": page.url},
    )
    if not answer.ok:
        raise RuntimeError(answer.text())
    return answer.json()["id"]


def wait_for(page: Page, experiment: int) -> list[int]:
    """The experiment's runs, once all have ended."""
    deadline = time.monotonic() + MOST_SECONDS
    while time.monotonic() < deadline:
        runs = page.request.get(f"/api/v1/experiments/{experiment}").json()["runs"]
        if all(run["status"] not in ("queued", "running") for run in runs):
            return [run["id"] for run in runs]
        time.sleep(1)
    raise TimeoutError(f"experiment {experiment} has not ended after {MOST_SECONDS} s")


def take(
    browser: Browser, url: str, screen: Screen, numbers: dict[str, str], state: dict, path: Path
) -> None:
    context = browser.new_context(
        base_url=url,
        storage_state=state,
        viewport=NARROW if screen.name.endswith("-narrow") else WIDE,
        color_scheme="dark" if screen.name.endswith("-dark") else "light",
    )
    page = context.new_page()
    page.goto(screen.address.format(**numbers))
    if screen.click:
        page.click(screen.click)
    if page.locator("#forecast").count():
        page.locator("#forecast .forecast-rows").wait_for(timeout=MOST_SECONDS * 1000)
    page.wait_for_timeout(SETTLED_MS)
    Image.open(io.BytesIO(page.screenshot())).save(path, quality=QUALITY, method=6)
    context.close()


if __name__ == "__main__":
    main()
