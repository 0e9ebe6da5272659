"""From a preset to a launch by the keyboard: a change, YAML with an error at its line, a sweep."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

PATIENCE = 20_000
OVERTAKEN = re.compile("htmx:(sendAbort|afterRequest)")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa"]},
    # It would ask for imported style sheets at addresses where they are not.
    "preload": False,
}


def barriers(page: Page) -> list[str]:
    """What axe-core calls serious or critical in the page as it stands."""
    violations = Axe().run(page, options=RULES).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def test_from_a_preset_to_a_launch_by_the_keyboard_alone(page: Page, lab: LabProcess) -> None:
    page.goto(lab.new_sign_in_link())
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda it: it.status >= 400 and complaints.append(f"{it.status} {it.url}"))
    page.goto("/experiments/new?preset=short-window")
    expect(page.locator("#launch")).to_contain_text("Launch 5 runs", timeout=PATIENCE)

    # A change is marked, told beside its field, and saved by itself.
    steps = page.locator("[name='inner.steps']")
    steps.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("12")
    expect(page.locator("#draft-state")).to_contain_text("Saved", timeout=PATIENCE)
    expect(page.locator(".field[data-changed]", has=steps)).to_contain_text(
        "was 40", timeout=PATIENCE
    )
    expect(page.locator("#error-summary")).to_contain_text("inner.steps = 12", timeout=PATIENCE)
    assert barriers(page) == []

    # Text with an error is marked at its line, and is there again after a reload.
    page.locator("#tab-overview").focus()
    page.keyboard.press("ArrowRight")
    text = page.locator("#yaml-text")
    wrong = re.sub(r"window: (20|40)\n", "window: 12\n", text.input_value())
    wrong = wrong.replace("inner:\n  steps: 12", "inner:\n  stepz: 1\n  steps: 12")
    text.fill(wrong)
    errors = page.locator("#yaml-errors")
    expect(errors).to_contain_text("did you mean 'steps'?", timeout=PATIENCE)
    line = wrong[: wrong.index("  stepz")].count("\n") + 1
    expect(errors).to_contain_text(f"Line {line}, column 3", timeout=PATIENCE)
    expect(page.locator("#yaml-gutter .wrong")).to_have_text(f"! {line}", timeout=PATIENCE)
    expect(page.locator("#draft-state")).to_contain_text("Saved", timeout=PATIENCE)
    assert barriers(page) == []
    page.reload()
    expect(text).to_have_value(wrong, timeout=PATIENCE)
    expect(errors).to_contain_text(f"Line {line}, column 3", timeout=PATIENCE)

    # Right again, the text fills the form, and the form goes on writing the text.
    text.fill(wrong.replace("  stepz: 1\n", "  # as few as it takes\n"))
    expect(steps).to_have_value("12", timeout=PATIENCE)
    expect(page.locator("#launch")).to_contain_text("Launch", timeout=PATIENCE)
    expect(page.locator("#yaml-errors")).not_to_contain_text("Line")
    page.locator("[name='outer.steps']").fill("1")
    expect(text).to_have_value(re.compile(r"outer:\n  steps: 1\n"), timeout=PATIENCE)
    expect(text).to_have_value(re.compile(r"  # as few as it takes\n  steps: 12\n"))

    # A sweep, with all that it will launch.
    page.locator("[name='sweep.0.field']").select_option("meta_parameters.0.initial")
    values = page.locator("[name='sweep.0.values']")
    expect(page.locator("[name='sweep.1.field']")).to_be_attached(timeout=PATIENCE)
    vary = page.locator("#vary-field-outer-steps")
    vary.press("Enter")
    expect(vary).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
    expect(page.locator("[name='sweep.1.values']")).to_have_value("1, 2, 4")
    vary.press("Enter")
    expect(vary).to_have_attribute("aria-pressed", "false", timeout=PATIENCE)
    values.fill("0.1, 0.2")
    table = page.locator("#run-table")
    expect(table).to_contain_text("Truncated, last 1, initial = 0.2", timeout=PATIENCE)
    count = int(re.search(r"\d+", table.locator("h3").inner_text())[0])
    expect(page.locator("#launch")).to_contain_text(f"Launch {count} runs", timeout=PATIENCE)
    assert barriers(page) == []

    # A question that a newer change has overtaken is taken back, which htmx tells the console.
    assert [text for text in complaints if not OVERTAKEN.match(text)] == []

    values.focus()
    draft = page.url.rpartition("draft=")[2]
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/experiments/\d+/"), timeout=PATIENCE)
    page.goto("/")
    assert page.locator(f"#drafts a[href*='{draft}']").count() == 0, "launched, a draft no more"
