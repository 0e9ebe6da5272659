"""A comparison leaves the lab: as a file, and as a link that works until it is revoked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

SECONDS = 1000
SPEC = """
name: for a stranger
inner_task: {kind: quadratic, dimension: 4}
inner: {steps: 8}
estimators: [{kind: unrolled}, {kind: truncated, window: 2}]
outer: {steps: 6}
probes: {every: 3, oracle: false, memory: false}
"""


def test_what_is_drawn_is_exported_and_shared(
    page: Page, browser: Browser, lab: LabProcess, tmp_path: Path
) -> None:
    console: list[str] = []
    page.on("console", lambda message: message.type == "error" and console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    page.goto(lab.new_sign_in_link())
    token = json.loads(page.locator("body").get_attribute("hx-headers"))["X-CSRFToken"]
    headers = {"Content-Type": "application/yaml", "X-CSRFToken": token, "Referer": lab.url}
    answer = page.request.post(f"{lab.url}/api/v1/experiments", data=SPEC, headers=headers)
    assert answer.status == 201, answer.text()
    page.goto(f"/experiments/{answer.json()['id']}/?smoothing=0.5")
    expect(page.get_by_text("2 / 2 runs done")).to_be_visible(timeout=60 * SECONDS)
    expect(page.locator("[data-chart=meta_loss] .scatterlayer .trace").first).to_be_attached()

    # A hidden curve is in the address, and neither in the file nor behind the link.
    page.locator("[data-legend]").nth(1).click()
    expect(page).to_have_url(re.compile(r"hidden=\d+"))
    page.keyboard.press("e")
    dialog = page.locator("#export-dialog")
    expect(dialog.locator("[data-preview-note]")).to_contain_text("true size", timeout=30 * SECONDS)
    assert dialog.locator("[data-preview-image]").evaluate("image => image.naturalWidth") == 321
    dialog.locator("label:has([value=json])").click()
    expect(dialog.locator("[data-preview-text]")).to_contain_text('"provenance"')
    with page.expect_download() as waiting:
        dialog.locator("[data-export-download]").click()
    waiting.value.save_as(path := tmp_path / "figure.json")
    told = json.loads(path.read_text())
    assert [curve["estimator"] for curve in told["figure"]["curves"]] == ["unrolled"]
    assert told["figure"]["smoothing"] == 0.5
    dialog.get_by_label("Close").click()

    page.get_by_role("button", name="Share").click()
    share = page.locator("#share-dialog")
    share.get_by_label("What").select_option("meta_loss")
    share.get_by_role("button", name="Make a link").click()
    address = share.locator("#share-address").input_value(timeout=10 * SECONDS)

    stranger = browser.new_page()
    try:
        stranger.goto(address)
        expect(stranger.get_by_role("heading", name="Meta-loss", level=1)).to_be_visible()
        expect(stranger.locator("[data-chart] .scatterlayer .trace").first).to_be_attached()
        expect(stranger.locator(".legend li")).to_have_count(1)
        asked, opened = (set(each.url.partition("?")[2].split("&")) for each in (page, stranger))
        assert opened == asked
        share.get_by_role("button", name="Revoke").click()
        expect(share.get_by_text("The link is revoked")).to_be_visible()
        stranger.reload()
        expect(stranger.get_by_text("This link shows nothing")).to_be_visible()
    finally:
        stranger.close()
    assert console == []
