"""Without a mouse: build, launch, watch, compare, export."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

PATIENCE = 30_000
MOST_TABS = 150


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on `selector`, and can be seen there."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            break
    else:
        raise AssertionError(f"{selector} was not reached by {MOST_TABS} tabs on {page.url}")
    expect(page.locator(":focus")).to_be_in_viewport()
    ring = "getComputedStyle(document.activeElement, null).outlineStyle"
    assert page.evaluate(ring) != "none", f"the focus on {selector} cannot be seen"


def test_from_a_question_to_a_file_without_a_mouse(
    page: Page, lab: LabProcess, tmp_path: Path
) -> None:
    page.goto(lab.new_sign_in_link())
    if page.get_by_role("dialog").count():
        page.keyboard.press("Escape")

    # Build: a question from the first page, for fewer outer steps.
    page.goto("/")
    tab_to(page, "a[href='/experiments/new?preset=short-window']")
    page.keyboard.press("Enter")
    expect(page.locator("#launch")).to_contain_text("Launch", timeout=PATIENCE)
    tab_to(page, "[name='outer.steps']")
    page.keyboard.press("Control+a")
    page.keyboard.type("7")
    expect(page.locator("#draft-state")).to_contain_text("Saved", timeout=PATIENCE)

    # Launch, and watch.
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/experiments/\d+/"), timeout=PATIENCE)
    expect(page.get_by_text("5 / 5 runs done")).to_be_visible(timeout=120_000)
    expect(page.locator("main .js-plotly-plot").first).to_be_visible(timeout=PATIENCE)

    # Pick two runs of the table, compare them, and export what is drawn.
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url(re.compile(r"/runs/"), timeout=PATIENCE)
    expect(page.locator("#runs-table tbody tr").nth(4)).to_be_visible(timeout=PATIENCE)
    for key in "jxjxc":
        page.keyboard.press(key)
    page.wait_for_url(re.compile(r"/compare\?"), timeout=PATIENCE)
    expect(page.locator("main .js-plotly-plot").first).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Export")
    expect(dialog).to_be_visible(timeout=PATIENCE)
    tab_to(page, "[name='format']")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(dialog.locator("[value='csv']")).to_be_checked()
    tab_to(page, "[data-export-download]")
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    file = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(file)
    assert file.suffix == ".csv"
    text = file.read_text(encoding="utf-8")
    assert "steps: 7" in text or '"steps": 7' in text
