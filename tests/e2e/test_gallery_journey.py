"""A question of the gallery under real hands: sketch, reveal, choose, present, open in the builder,
and the same page for somebody without an account."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.e2e.test_every_page import NARROW, WIDE, problems
from tests.lab_process import LabProcess
from webapp.gallery.pages import PAGES

pytestmark = pytest.mark.e2e


def test_predict_reveal_choose_and_open_in_the_builder(page: Page, lab: LabProcess) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(lab.new_sign_in_link())
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/gallery/")
    page.get_by_role("link", name="What happens if the window is short?").click()

    # Nothing is shown before the prediction is whole: one point by key, the others in one stroke.
    answer, reveal = page.locator("[data-answer]"), page.get_by_role("button", name="Reveal")
    expect(answer).to_be_hidden()
    expect(reveal).to_be_disabled()
    pad = page.locator(".sketch-pad")
    first = page.get_by_role("slider", name="Meta-gradient at 1", exact=True)
    first.press("ArrowUp")
    expect(first).to_have_attribute("aria-valuetext", "-17")
    box = pad.bounding_box()
    middle = box["y"] + 0.4 * box["height"]
    page.mouse.move(box["x"] + 0.05 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.98 * box["width"], middle, steps=60)
    page.mouse.up()
    reveal.click()

    # The sketch lies over what was measured, and what was measured is said.
    chart = page.locator("[data-figure]").first
    expect(chart.locator(".picture-legend")).to_contain_text("your sketch")
    expect(chart.locator(".picture-legend")).to_contain_text("truncated")
    expect(page.locator("[data-verdict]")).to_contain_text("Farthest at 20")
    expect(page.locator("[data-finding]")).to_contain_text("The sign is right from K = 41 on")
    chart.get_by_text("Numbers").click()
    expect(chart.locator("table")).to_contain_text("−65.9")

    # It is remembered; another choice comes at once, and the address keeps it.
    page.reload()
    expect(chart.locator(".picture-legend")).to_contain_text("your sketch")
    page.get_by_role("radio", name="Noisy quadratic").check()
    expect(chart.get_by_role("heading")).to_have_text("Relative bias against the window")
    assert page.url.endswith("?task=quadratic")

    # Large type and one figure; the next question comes in the same look.
    page.keyboard.press("p")
    expect(page.locator(".rail")).to_be_hidden()
    expect(page.locator("[data-figure]").nth(1)).to_be_hidden()
    expect(chart.locator(".js-plotly-plot")).to_be_visible()
    page.keyboard.press("]")
    page.wait_for_url("**/gallery/*/?present=1")
    expect(page.locator(".rail")).to_be_hidden()
    page.go_back()
    page.keyboard.press("p")

    # What was seen is a form to change.
    page.get_by_role("link", name="Open in builder").click()
    expect(page.locator("#origin")).to_contain_text("From the gallery: A short window")
    expect(page.locator("[name='inner_task.kind']")).to_have_value("noisy_quadratic")
    assert complaints == []


def test_every_question_is_whole_once_it_is_answered(page: Page, lab: LabProcess) -> None:
    """As `test_every_page` for other pages: wide and light, narrow and dark, in turn."""
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(lab.new_sign_in_link())
    for number, question in enumerate(PAGES):
        narrow = number % 2
        page.set_viewport_size(NARROW if narrow else WIDE)
        page.emulate_media(color_scheme="dark" if narrow else "light", reduced_motion="reduce")
        page.goto(f"/gallery/{question.slug}/")
        page.get_by_role("button", name="Just show me").click()
        expect(page.locator("[data-finding]")).not_to_be_empty()
        expect(page.locator("[data-figure] [data-drawing]:empty")).to_have_count(0)
        page.evaluate(AXE_SCRIPT)
        found = problems(page, question.slug, ["#content"])
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert (found, complaints, too_wide) == ([], [], 0), question.slug
