"""One run on its page: paused and resumed, drawn in another way, hovered, noted and cancelled."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

SECONDS = 1000
ENDLESS = """
name: as long as it is watched
inner_task: {kind: quadratic, dimension: 3}
inner: {steps: 4}
estimators: [{kind: truncated, window: 2}]
outer: {steps: 100000}
probes: {every: 20}
seeds: [0]
"""


def launched(page: Page, lab: LabProcess, spec: str = ENDLESS) -> int:
    """The number of a run that goes on until somebody stops it."""
    page.goto(lab.new_sign_in_link())
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    headers = {"Content-Type": "application/yaml", "X-CSRFToken": token, "Referer": lab.url}
    answer = page.request.post(f"{lab.url}/api/v1/experiments", data=spec, headers=headers)
    assert answer.status == 201, answer.text()
    return answer.json()["runs"][0]["id"]


def test_a_run_is_watched_paused_resumed_and_cancelled(page: Page, lab: LabProcess) -> None:
    problems: list[str] = []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"/runs/{launched(page, lab)}/")
    status, step = page.locator("[data-status-pill]"), page.locator("[data-step]")
    expect(status).to_have_text("running", timeout=60 * SECONDS)
    expect(step).to_have_text(re.compile(r"^[1-9]\d+ / 100000$"), timeout=20 * SECONDS)

    # Paused, it stands still and nothing is missing; resumed, it goes on and the seam is drawn.
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=20 * SECONDS)
    expect(status).to_have_text("paused")
    expect(page.get_by_text("No worker holds it")).to_be_visible()
    stood = int(step.inner_text().split()[0])
    expect(page.locator("[data-proof]")).to_contain_text(
        f"seq {stood:,} / {stood:,} · 0 missing", timeout=20 * SECONDS
    )
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("[data-attempt]")).to_have_text("2", timeout=20 * SECONDS)
    seam = page.locator("[data-chart=meta_loss] .annotation")
    expect(seam).to_have_text(f"attempt 2, resumed from step {stood}", timeout=20 * SECONDS)
    assert int(step.inner_text().split()[0]) >= stood

    # One toolbar for all charts, kept in the address; one pointer for all charts.
    page.keyboard.press("l")
    page.get_by_text("Inner steps", exact=True).first.click()
    expect(page).to_have_url(re.compile(r"scale=log&x=inner_steps"))
    page.locator("[data-chart=meta_loss] [data-plot]").hover(position={"x": 150, "y": 90})
    expect(page.locator("[data-chart=cosine] .hoverlayer .legend")).to_be_attached()

    # What people write is kept.
    page.get_by_role("tab", name="Notes").click()
    page.get_by_label("Notes").last.fill("It **works**.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#run-notes strong")).to_have_text("works")
    page.get_by_role("tab", name="Events").click()
    page.get_by_label("Search the events").fill("asked to pause")
    expect(page.locator("#event-table tbody tr")).to_have_count(1)

    # Cancelled, it says what is kept, and may go on all the same.
    page.get_by_role("button", name="Cancel").first.click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(status).to_have_text("cancelled", timeout=20 * SECONDS)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.locator("[data-proof]")).to_contain_text("0 missing · complete")
    assert problems == []


def test_what_may_be_done_with_a_run_that_waits_fits_a_narrow_page(
    page: Page, lab: LabProcess
) -> None:
    # The lab has no worker for it.
    page.goto(f"/runs/{launched(page, lab, f'{ENDLESS}device: cuda')}/")
    page.set_viewport_size({"width": 390, "height": 844})
    priority, give = (
        page.get_by_label("Priority of this run"),
        page.get_by_role("button", name="Set"),
    )
    assert priority.bounding_box()["y"] == give.bounding_box()["y"]
    for control in page.locator("#run-actions").locator("button, select").all():
        box = control.bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
    priority.select_option("low")
    give.click()
    expect(page.get_by_text("Its priority is low.")).to_be_visible()
    expect(priority).to_have_value("low")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    expect(page.locator("[data-status-pill]")).to_have_text("cancelled")
