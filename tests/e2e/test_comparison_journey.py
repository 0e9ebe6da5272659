"""From a sweep to an answer: a baseline, an equal cost, a trade-off, and one estimator fewer."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

SECONDS = 1000
SLOW = 20 * SECONDS
SPEC = """
name: three against each other
inner_task: {kind: quadratic, dimension: 4, noise: 0.1}
inner: {steps: 8}
estimators: [{kind: unrolled}, {kind: truncated, window: 2}]
sweep: {estimators.1.window: [2, 4]}
seeds: [0, 1, 2]
outer: {steps: 6}
probes: {every: 3}
"""


def test_a_sweep_is_compared_with_its_baseline(
    page: Page, browser: Browser, lab: LabProcess
) -> None:
    console: list[str] = []
    page.on("console", lambda message: message.type == "error" and console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    page.goto(lab.new_sign_in_link())
    token = json.loads(page.locator("body").get_attribute("hx-headers"))["X-CSRFToken"]
    headers = {"Content-Type": "application/yaml", "X-CSRFToken": token, "Referer": lab.url}
    answer = page.request.post(f"{lab.url}/api/v1/experiments", data=SPEC, headers=headers)
    assert answer.status == 201, answer.text()
    runs = ",".join(str(run["id"]) for run in answer.json()["runs"])
    page.goto(f"/compare?runs={runs}")
    expect(page.get_by_text("9 / 9 runs done")).to_be_visible(timeout=120 * SECONDS)
    page.reload()

    # The first estimator is what the others are measured by.
    page.get_by_role("link", name=re.compile("^Compare all with Unrolled")).click()
    tests = page.locator(".tests-table tbody tr")
    expect(tests).to_have_count(2, timeout=SLOW)
    page.get_by_label("Metric", exact=True).first.select_option("bias_relative")
    expect(tests.first).to_contain_text("worse", timeout=SLOW)
    expect(page).to_have_url(re.compile(r"baseline=\d+&tested=bias_relative"))

    # At the cost of the cheapest run no curve goes further.
    page.get_by_label("At equal", exact=True).select_option("gradient_evaluations")
    expect(page.get_by_text("Counted: at most")).to_be_visible(timeout=SLOW)
    note = page.locator("[data-chart=meta_loss] [data-note]")
    expect(note).to_contain_text("gradient evaluations", timeout=SLOW)

    # Bias against the window, as the page draws it and as a file.
    chart = page.locator("[data-comparison-chart='response:estimators.0.window']")
    expect(chart.locator(".scatterlayer .trace")).not_to_have_count(0, timeout=SLOW)
    expect(chart.get_by_role("heading")).to_contain_text("against estimator.window")
    chart.get_by_role("button", name=re.compile("^Export")).click()
    expect(page.locator("[data-preview-image]")).to_be_visible(timeout=SLOW)
    page.keyboard.press("Escape")

    # The address is the whole state, and an estimator can be taken away.
    # The best of each run in place of what is usual.
    page.get_by_text("Best", exact=True).click()
    counted = "; the best of each run."
    expect(page.locator(".table-note").first).to_contain_text(counted, timeout=SLOW)

    page.reload()
    expect(tests).to_have_count(2)
    page.get_by_role("link", name=re.compile("^Take away Truncated, last 4")).click()
    expect(page.get_by_text("6 runs in 2 configurations")).to_be_visible()
    expect(page.locator(".tests-table tbody tr")).to_have_count(1)

    # A stranger sees the same, and one of its charts alone.
    stranger = browser.new_page(base_url=lab.url)
    stranger.on("console", lambda it: it.type == "error" and console.append(it.text))
    try:
        stranger.goto(link_to(page, ""))
        expect(stranger.locator(".tests-table tbody tr")).to_have_count(1)
        expect(stranger.locator(".table-note").first).to_contain_text(counted)
        pareto = stranger.locator("[data-comparison-chart=pareto]")
        expect(pareto.locator(".scatterlayer .trace")).not_to_have_count(0, timeout=SLOW)
        stranger.get_by_text("Usual", exact=True).click()
        expect(stranger.locator(".table-note").first).not_to_contain_text(counted, timeout=SLOW)
        address = link_to(page, "pareto")
        for alone in (address, address.replace("/s/", "/embed/")):
            stranger.goto(alone)
            expect(pareto.locator(".scatterlayer .trace")).not_to_have_count(0, timeout=SLOW)
            expect(stranger.locator("[data-comparison-chart]")).to_have_count(1)
    finally:
        stranger.close()
    assert console == []


def link_to(page: Page, figure: str) -> str:
    """The address of a new link to a figure of the page, or to all of it."""
    page.get_by_role("button", name="Share").click()
    share = page.locator("#share-dialog")
    share.get_by_label("What").select_option(figure)
    share.get_by_role("button", name="Make a link").click()
    address = share.locator("#share-address").input_value(timeout=SLOW)
    share.get_by_label("Close").click()
    return address
