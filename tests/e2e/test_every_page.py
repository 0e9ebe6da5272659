"""Every page, wide and narrow, light and dark: nothing that axe-core calls serious, no complaint of
the content policy or the console, nothing wider than the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

WIDE = {"width": 1366, "height": 768}
NARROW = {"width": 390, "height": 844}
STATES = (
    ("wide, light", WIDE, "light"),
    ("wide, dark", WIDE, "dark"),
    ("narrow, dark", NARROW, "dark"),
    ("narrow, light", NARROW, "light"),
)
"""One after the other on the same loaded page: each differs from the last in one respect."""
SMALL = """
name: a page to look at
inner_task: {kind: quadratic, dimension: 4, noise: 0.1}
inner: {steps: 6}
estimators: [{kind: unrolled}, {kind: truncated, window: 2}]
outer: {steps: 6}
seeds: [0, 1]
probes: {every: 2, draws: 3}
"""
PAGES = [
    "/",
    "/experiments/new",
    "/experiments/new?clone={run}",
    "/experiments/{experiment}/",
    "/runs/",
    "/runs/{run}/",
    "/compare",
    "/compare?runs={run},{other}",
    "/queue/",
    "/forecasts/",
    "/graph-size/",
    "/gallery/",
    "/gallery/truncation/",
    "/gallery/elites/",
    "/search?q=window",
    "/help/",
    "/help/fields",
    "/help/charts",
    "/help/estimators",
    "/help/queries",
    "/help/estimators/truncated",
    "/account/",
    "/account/tokens/",
    "/people/",
    "/people/quotas",
    "/audit/",
    "/errors/",
    "/no-such-page",
    "/s/{shared_run}",
    "/s/{shared_comparison}",
    "/s/{shared_figure}",
    "/s/{shared_chart}",
    "/embed/{shared_figure}",
    "/embed/{shared_chart}",
]
LINKS = (
    ("shared_run", 1, ""),
    ("shared_comparison", 4, ""),
    ("shared_figure", 4, "meta_loss"),
    ("shared_chart", 4, "pareto"),
)
"""Links of the lab, by the name that an address has for their token: to how many runs, to what."""
ONE_OF_MANY = {
    "/help/fields": [".frame > .rail", ".strip", ".help-contents", "[id='estimators.truncated']"],
}
"""Parts of a page that repeats one pattern hundreds of times: axe-core looks at these alone."""
SERIOUS = {"serious", "critical"}
WCAG = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def visitor(browser: Browser, lab: LabProcess) -> Iterator[tuple[Page, dict[str, object]]]:
    """One signed-in page for all, and the numbers of what it can look at."""
    # Without motion, a colour is what it will be at once.
    context = browser.new_context(base_url=lab.url, viewport=WIDE, reduced_motion="reduce")
    page = context.new_page()
    page.goto(lab.new_sign_in_link())
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    answer = page.request.post(
        "/api/v1/experiments",
        data=SMALL,
        headers={
            "Content-Type": "application/yaml", "X-CSRFToken": token, "Referer": lab.url
        },
    )  # fmt: skip
    assert answer.status == 201, answer.text()
    experiment = answer.json()["id"]
    runs = page.request.get(f"/api/v1/experiments/{experiment}").json()["runs"]
    numbers = {"experiment": experiment, "run": runs[0]["id"], "other": runs[1]["id"]}
    shared = {
        name: link_to(page, [run["id"] for run in runs[:count]], token, metric)
        for name, count, metric in LINKS
    }
    yield page, {**numbers, **shared}
    context.close()


def link_to(page: Page, runs: list[int], token: str, metric: str) -> str:
    """The token of a link to `runs`, to their figure `metric` where it is named."""
    form = {"runs": ",".join(map(str, runs)), "metric": metric, "days": "7"}
    form["csrfmiddlewaretoken"] = token
    answer = page.request.post("/share/", form=form, headers={"Referer": page.url})
    assert answer.status == 201, answer.text()
    found = re.search(r"/s/([\w-]+)", answer.text())
    assert found is not None
    return found[1]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_whole_in_every_light_and_width(
    address: str, visitor: tuple[Page, dict[str, object]]
) -> None:
    page, numbers = visitor
    complaints: list[str] = []

    def listen(message) -> None:
        if message.type == "error" and "/no-such-page" not in message.location["url"]:
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.goto(address.format(**numbers))
    page.evaluate(AXE_SCRIPT)
    found: list[str] = []
    for state, size, scheme in STATES:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found += problems(page, state, ONE_OF_MANY.get(address))
        if beyond := page.evaluate("document.documentElement.scrollWidth - innerWidth"):
            found.append(f"{state}: {beyond} pixels wider than the screen")
    page.remove_listener("console", listen)
    assert (found, complaints) == ([], [])


def problems(page: Page, state: str, parts: list[str] | None) -> list[str]:
    """What axe-core calls serious here, by rule and element; in `parts` alone where there are.

    After a frame, in which the page has fitted itself to its width and theme.
    """
    page.evaluate("new Promise(requestAnimationFrame).then(() => new Promise(setTimeout))")
    context = {"include": [[part] for part in parts]} if parts else {"include": [["html"]]}
    options = {"runOnly": WCAG, "resultTypes": ["violations"], "preload": False}
    violations = page.evaluate(
        "([context, options]) => axe.run(context, options).then((found) => found.violations)",
        [context, options],
    )
    return [
        f"{state}: {violation['id']} at {node['target']}: {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in SERIOUS
        for node in violation["nodes"][:3]
    ]
