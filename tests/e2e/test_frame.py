"""The frame of every page under real hands: tour, keys, search, and the help beside a field."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e


def test_a_first_visit_by_keyboard_alone(page: Page, lab: LabProcess) -> None:
    page.goto(lab.new_sign_in_link())

    # The tour: four steps, and never again.
    tour = page.get_by_role("dialog", name="Four things to know")
    expect(tour.get_by_role("heading", name="Start from a question")).to_be_visible()
    for _ in range(3):
        tour.get_by_role("button", name="Next").press("Enter")
    expect(tour.get_by_text("4 / 4")).to_be_visible()
    with page.expect_response("**/account/tour"):
        tour.get_by_role("button", name="Done").press("Enter")
    page.reload()
    expect(page.locator("#content")).to_be_visible()
    expect(tour).to_have_count(0)

    # The keys of this page, and the way to another.
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard")
    expect(keys.get_by_text("New experiment").first).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.wait_for_url("**/experiments/new")

    # The small ? beside a field explains it.
    page.get_by_role("link", name="What Objective means").press("Enter")
    page.wait_for_url("**/help/fields#objective")
    expect(page.locator("[id='objective']")).to_be_in_viewport()

    # The search: typed keys are text, arrows choose.
    page.keyboard.press("/")
    page.keyboard.type("truncated")
    found = page.get_by_role("listbox", name="Found")
    expect(found.get_by_role("option").first).to_be_visible()
    option = found.get_by_role("option", name=re.compile("^Truncated Estimator"))
    while option.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/help/estimators/truncated")

    # Switched off, single keys are nothing but keys; on every page, until switched on again.
    page.goto("/account/")
    switch = page.locator("#content").get_by_role("switch", name="Single-key shortcuts")
    with page.expect_response("**/account/single-keys"):
        switch.press("Space")
    page.goto("/help/")
    page.keyboard.press("?")
    expect(keys).to_be_hidden()
    page.goto("/account/")
    with page.expect_response("**/account/single-keys"):
        switch.press("Space")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/queue/")
