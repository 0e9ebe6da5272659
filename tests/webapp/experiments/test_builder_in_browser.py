"""The builder under real hands: typing is never interrupted, the keyboard reaches everything."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e


@pytest.fixture
def builder(page: Page, lab: LabProcess) -> Page:
    page.goto(lab.new_sign_in_link())
    page.goto("/experiments/new?preset=short-window")
    expect(page.locator("#launch")).to_contain_text("Launch 5 runs")
    return page


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.name || document.activeElement.id")


def test_an_error_appears_while_typing_and_leaves_the_hands_alone(builder: Page) -> None:
    window = builder.locator("[name='estimators.1.window']")
    error = builder.locator("#field-estimators-1-window-error")
    window.fill("41")
    expect(error).to_contain_text("1 to the horizon")
    expect(window).to_have_attribute("aria-invalid", "true")
    expect(builder.locator("#error-summary")).to_have_attribute("role", "alert")
    assert focused(builder) == "estimators.1.window"
    window.press("Backspace")
    expect(error).to_be_empty()
    expect(window).not_to_have_attribute("aria-invalid", "true")
    expect(window).to_have_value("4")
    expect(builder.locator("#difference")).to_contain_text("estimators.1.window")
    builder.locator(".field:has([name='estimators.1.window']) [data-reset]").click()
    expect(window).to_have_value("1")


def test_what_is_typed_before_the_scripts_are_there_is_kept(builder: Page) -> None:
    held: list[Route] | None = []
    builder.route(
        "**/builder*.js", lambda route: route.continue_() if held is None else held.append(route)
    )
    builder.goto("/experiments/new?preset=short-window", wait_until="commit")
    builder.locator("[name='inner.steps']").fill("50")
    late, held = held, None
    for route in late:
        route.continue_()
    expect(builder.locator("#yaml-text")).to_have_value(re.compile(r"steps: 50\n"))


def test_what_is_typed_while_another_kind_loads_is_kept(builder: Page) -> None:
    builder.locator("[name='sweep.0.field']").select_option("inner.steps")
    builder.locator("[name='sweep.0.values']").fill("40, 80")
    expect(builder.locator("[name='sweep.1.field']")).to_be_visible()
    expect(builder.locator("[name='sweep.0.values']")).to_have_value("40, 80")
    expect(builder.locator("#launch")).to_contain_text("Launch 10 runs")


def test_what_is_typed_while_an_item_goes_stays_with_its_own_item(builder: Page) -> None:
    """The fields of those after it have other names when the answer comes."""
    answers: list[Route] = []
    builder.route(
        "**/experiments/form",
        lambda route: answers.append(route) if not answers else route.continue_(),
    )
    builder.get_by_role("button", name="Remove Truncated, last 5").click()
    window = builder.locator("[name='estimators.3.window']")
    window.press("End")
    window.press("Backspace")
    answers[0].continue_()
    expect(builder.locator("[name='estimators.2.window']")).to_have_value("2")
    expect(builder.locator("[name='estimators.2.window']")).to_be_focused()
    expect(builder.locator("#yaml-text")).to_have_value(re.compile(r"window: 2\n"))
    expect(builder.locator("#launch")).to_contain_text("Launch 4 runs")


def test_a_button_that_is_gone_when_its_answer_comes_stops_nothing(builder: Page) -> None:
    """A forecast that grows takes its fixes away and puts new ones there."""
    answers: list[Route] = []
    builder.route(
        "**/experiments/form",
        lambda route: answers.append(route) if not answers else route.continue_(),
    )
    button = builder.get_by_role("button", name="Remove Truncated, last 5")
    button.click()
    button.evaluate("button => button.remove()")
    answers[0].continue_()
    expect(builder.locator("#launch")).to_contain_text("Launch 4 runs")
    builder.locator("[name='inner.steps']").fill("50")
    expect(builder.locator("#yaml-text")).to_have_value(re.compile(r"steps: 50\n"))


def test_kinds_and_items_change_in_place(builder: Page) -> None:
    kind = builder.locator("[name='estimators.1.kind']")
    kind.focus()
    kind.select_option("evolution")
    expect(builder.locator("[name='estimators.1.particles']")).to_be_visible()
    assert focused(builder) == "estimators.1.kind"
    builder.get_by_role("button", name="Elites", exact=True).click()
    expect(builder.locator("#launch")).to_contain_text("Launch 6 runs")
    builder.get_by_role("button", name="Remove Elites").click()
    expect(builder.locator("#launch")).to_contain_text("Launch 5 runs")
    step = builder.evaluate("document.activeElement.parentElement.id")
    assert step == "step-estimators"


def test_a_worker_says_that_estimators_are_ready_and_nothing_waits_for_it(
    page: Page, lab: LabProcess
) -> None:
    page.goto(lab.new_sign_in_link())
    page.goto("/experiments/new?preset=forward-mode")
    lines = page.locator(".preflight")
    for index in range(lines.count()):
        expect(lines.nth(index)).to_contain_text("Ready: one inner step ran", timeout=60_000)
    steps = page.locator("[name='inner.steps']")
    steps.fill(str(int(steps.input_value()) - 1))
    expect(lines.first).to_contain_text("Trying one inner step")
    assert focused(page) == "inner.steps"
    expect(page.locator("#launch")).to_be_enabled()
    expect(lines.first).to_contain_text("Ready", timeout=60_000)


def test_yaml_goes_both_ways_and_names_the_wrong_line(builder: Page) -> None:
    builder.locator("[name='name']").fill("written in the form")
    builder.get_by_role("tab", name="YAML").click()
    text = builder.locator("#yaml-text")
    expect(text).to_have_value(re.compile("^name: written in the form"))
    text.fill("name: x\ninner:\n  steps: 10\n  stepz: 11\n")
    expect(builder.locator("#yaml-errors")).to_contain_text("Line 4, column 3")
    expect(builder.locator("#yaml-gutter .wrong")).to_have_text("! 4")
    builder.get_by_role("button", name="Line 4").click()
    assert builder.evaluate("getSelection().toString()") == "stepz: 11"
    text.fill("name: written as text\ninner: {steps: 12}\n")
    expect(builder.locator("[name='inner.steps']")).to_have_value("12")
    expect(builder.get_by_role("tab", name="YAML")).to_have_attribute("aria-selected", "true")


def test_a_refused_launch_points_to_the_errors_and_a_right_one_runs(builder: Page) -> None:
    builder.locator("[name='inner.steps']").fill("none")
    builder.keyboard.press("Control+Enter")
    expect(builder.locator("#error-summary")).to_be_focused()
    builder.locator("#error-summary a").first.click()
    assert focused(builder) == "inner.steps"
    builder.locator("[name='inner.steps']").fill("40")
    builder.locator("[name='outer.steps']").fill("1")
    expect(builder.locator("#launch")).to_contain_text("Launch 5 runs")
    builder.keyboard.press("Control+Enter")
    builder.wait_for_url("**/experiments/*/")


def test_the_theme_is_remembered_and_set_before_the_first_paint(builder: Page) -> None:
    assert builder.locator("html").get_attribute("data-theme") == "light"
    builder.get_by_role("button", name="Theme: system").click()
    builder.get_by_role("button", name="Theme: light").click()
    expect(builder.locator("html")).to_have_attribute("data-theme", "dark")
    builder.reload(wait_until="commit")
    builder.wait_for_selector("html[data-theme=dark]", state="attached")


@pytest.mark.parametrize("path", ["/", "/experiments/new?preset=short-window"])
def test_nothing_is_wider_than_a_phone(builder: Page, path: str) -> None:
    builder.set_viewport_size({"width": 390, "height": 844})
    builder.goto(path)
    assert builder.evaluate("document.documentElement.scrollWidth") == 390
