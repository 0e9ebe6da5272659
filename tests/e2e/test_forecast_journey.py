"""The forecast where people see it: a longer horizon, *will not fit*, one click, a launch."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.lab_process import LabProcess, remove_home
from webapp.supervisor.home import Home

pytestmark = pytest.mark.e2e

SECONDS = 1000
PATIENCE = 90 * SECONDS
SPEC = """
name: a long unroll
inner_task: {kind: quadratic, dimension: 100000, condition_number: 10.0}
inner: {steps: 10, program: eager}
meta_parameters: [{kind: learning_rate, initial: 0.01}]
estimators: [{kind: unrolled, storage: full}]
outer: {steps: 3}
probes: {oracle: false, test: false}
device: cpu
precision: float32
"""


@pytest.fixture(scope="module")
def narrow_lab() -> Iterator[LabProcess]:
    """A lab whose workers give their runs 4 GB together."""
    home = Home(Path(tempfile.mkdtemp(prefix="lab-narrow-")))
    process = LabProcess(home.root)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RUN_MEMORY_BYTES", str(4 * 10**9))
            process.start()
        yield process
    finally:
        process.stop()
        remove_home(home)


@pytest.fixture
def narrow_page(browser: Browser, narrow_lab: LabProcess) -> Iterator[Page]:
    context = browser.new_context(base_url=narrow_lab.url, viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.goto(narrow_lab.new_sign_in_link())
    yield page
    context.close()


def open_spec(page: Page) -> None:
    """The builder with SPEC, once its forecast is there."""
    page.goto("/experiments/new")
    page.locator("#tab-yaml").click()
    page.locator("#yaml-text").fill(SPEC)
    expect(page.locator("[name='name']")).to_have_value("a long unroll", timeout=PATIENCE)
    page.locator("#tab-overview").click()
    expect(page.locator("#forecast .verdict").first).to_have_text("fits", timeout=PATIENCE)


def test_figures_go_when_a_field_is_wrong(narrow_page: Page) -> None:
    page = narrow_page
    open_spec(page)
    expect(page.locator("#launch-bar")).to_contain_text("of memory")
    page.locator("[name='inner.steps']").fill("-1")
    expect(page.locator("#launch-bar")).to_contain_text("1 error")
    expect(page.locator("#launch-bar")).not_to_contain_text("of memory")
    expect(page.locator("#forecast")).to_contain_text("as soon as every field is right")


def test_from_a_longer_horizon_to_a_launch_that_fits(narrow_page: Page) -> None:
    page = narrow_page
    open_spec(page)
    verdict = page.locator("#forecast .verdict").first
    expect(page.locator("#launch-bar")).to_contain_text("of memory")
    before = page.locator("#forecast").inner_text()

    page.locator("[name='inner.steps']").fill("50000")
    expect(verdict).to_have_text("will not fit", timeout=PATIENCE)
    assert page.locator("#forecast").inner_text() != before
    expect(page.locator("#launch-bar")).to_contain_text("Will not fit")

    # A launch by accident is refused, keeps nothing, and says what would fit.
    fix = page.locator(".fixes button").filter(has_text="checkpointed storage").first
    expect(fix).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#error-summary")).to_contain_text("will not fit", timeout=PATIENCE)
    assert page.request.get("/api/v1/runs").json()["count"] == 0

    fix.click()
    expect(page.locator("#yaml-text")).to_have_value(re.compile("storage: checkpoint"))
    expect(verdict).to_have_text("fits", timeout=PATIENCE)
    expect(page.locator("#error-summary")).to_be_empty()
    expect(page.locator("#forecast-asking[data-stale]")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("#draft-state")).to_contain_text("Saved", timeout=PATIENCE)
    page.locator("[name='inner.steps']").fill("500")
    expect(page.locator("#yaml-text")).to_have_value(re.compile("steps: 500\n"), timeout=PATIENCE)
    expect(page.locator("#forecast-asking[data-stale]")).to_have_count(0, timeout=PATIENCE)
    expect(verdict).to_have_text("fits", timeout=PATIENCE)
    page.locator("#launch").click()
    page.wait_for_url(re.compile(r"/experiments/\d+/"))
    expect(page.get_by_text("1 / 1 runs done")).to_be_visible(timeout=PATIENCE)
    page.locator("a.seed-bar").first.click()
    expect(page.locator("#run-forecast")).to_contain_text("measured of forecast", timeout=PATIENCE)
