"""A picture appears while its run goes on, follows it, and goes into a paper."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

SECONDS = 1000
SEARCH = """
name: elites in a browser
inner_task: {kind: quadratic, dimension: 4, noise: 0.1}
inner: {steps: 40}
meta_parameters: [{kind: learning_rate, initial: 0.01, scale: log}]
estimators:
  - {kind: elites, population: 12, elites: 4, sigma: 1.0}
  - {kind: elites, population: 12, elites: 2, sigma: 1.0}
outer: {steps: 8}
probes: {every: 1, oracle: false, memory: false}
"""


def test_a_live_picture(page: Page, lab: LabProcess, tmp_path: Path) -> None:
    console: list[str] = []
    page.on("console", lambda message: message.type == "error" and console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    page.goto(lab.new_sign_in_link())
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    headers = {"Content-Type": "application/yaml", "X-CSRFToken": token, "Referer": lab.url}
    answer = page.request.post(f"{lab.url}/api/v1/experiments", data=SEARCH, headers=headers)
    assert answer.status == 201, answer.text()
    created = answer.json()
    run = created["runs"][0]["id"]

    # The page is open before there is anything to see, and nothing reloads it.
    page.goto(f"/runs/{run}/#pictures")
    picture = page.locator("[data-picture=particles]")
    expect(picture.locator(".scatterlayer .points path").first).to_be_attached(timeout=60 * SECONDS)
    step = picture.locator("[data-picture-step]")
    slider = picture.get_by_role("slider")
    expect(page.locator("[data-status-pill]")).to_contain_text("finished", timeout=90 * SECONDS)
    expect(step).to_have_text("step 7")
    expect(picture.get_by_role("button", name="Latest")).to_have_attribute("aria-pressed", "true")

    # By keyboard to the first generation; its twin in numbers follows.
    picture.locator("summary", has_text="Numbers").click()
    slider.focus()
    page.keyboard.press("Home")
    expect(step).to_have_text("step 0")
    expect(picture.locator("[data-text-summary]")).to_contain_text("12 proposals")
    expect(picture.locator("[data-table] tr")).to_have_count(13)
    page.keyboard.press("ArrowRight")
    expect(step).to_have_text("step 1")

    # What is exported is what is shown.
    picture.get_by_label("Export Proposals over the meta-loss").click()
    dialog = page.locator("#export-dialog")
    dialog.locator("label:has([value=json])").click()
    with page.expect_download() as waiting:
        dialog.locator("[data-export-download]").click()
    waiting.value.save_as(path := tmp_path / "picture.json")
    told = json.loads(path.read_text())
    assert (told["provenance"]["run"], told["provenance"]["step"]) == (run, 1)
    stored = page.request.get(f"{lab.url}/api/v1/runs/{run}/pictures/particles/1").json()
    assert told["picture"]["drawing"] == stored["drawing"]

    # Those of both runs beside each other.
    page.goto(f"/experiments/{created['id']}/")
    beside = page.locator("[data-pictures-beside]")
    expect(beside.locator("figure")).to_have_count(2, timeout=60 * SECONDS)
    beside.scroll_into_view_if_needed()
    expect(beside.locator(".scatterlayer").first).to_be_attached(timeout=20 * SECONDS)
    assert console == []
