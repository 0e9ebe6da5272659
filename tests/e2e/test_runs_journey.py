"""The table of runs by keyboard in a real browser: ask, fold, pick, tag, archive, take back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

SLOWEST = 20_000
"""Milliseconds that a busy machine may take for an answer."""

SPEC = """{
  "name": "table journey", "inner_task": {"kind": "quadratic", "dimension": 4},
  "inner": {"steps": 10}, "estimators": [{"kind": "unrolled"}, {"kind": "truncated", "window": 3}],
  "outer": {"steps": 4}, "seeds": [0, 1], "probes": {"every": 2}, "device": "cpu"
}"""
LAUNCH = """async (spec) => {
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
  const answer = await fetch("/api/v1/experiments", { method: "POST", headers, body: spec });
  return answer.status;
}"""


def test_a_table_is_asked_and_worked_on_without_a_mouse(page: Page, lab: LabProcess) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: "Content Security" in message.text and problems.append(message.text),
    )
    page.goto(lab.new_sign_in_link())
    assert page.evaluate(LAUNCH, SPEC) in (200, 201)
    page.goto("/runs/")
    rows = page.locator("#runs-table tbody tr")

    # Running rows come to their end where they stand, and the focus stays.
    rows.first.get_by_role("checkbox").focus()
    expect(rows.filter(has_text="finished").filter(has_text="table journey")).to_have_count(
        4, timeout=40_000
    )
    expect(rows.first.get_by_role("checkbox")).to_be_focused()

    # A field and a value from the completions; the table and the address follow.
    box = page.get_by_role("combobox", name="Query")
    # At once: an answer to half a word, come late, would take the choice back.
    box.fill("estim")
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(options.first).to_contain_text("estimator", timeout=SLOWEST)
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("estimator:")
    box.fill("estimator:trunc")
    expect(options.first).to_contain_text("truncated", timeout=SLOWEST)
    box.press("ArrowDown")
    box.press("Tab")
    expect(box).to_have_value("estimator:truncated ")
    box.press_sequentially('name:"table journey"')
    box.press("Enter")
    expect(rows).to_have_count(2, timeout=SLOWEST)
    expect(page).to_have_url(re.compile(r"q=estimator:truncated"))

    # Escape closes the completions, then leaves the box; what was typed stays.
    asked = 'estimator:truncated name:"table journey"'
    box.press("Control+Space")
    expect(options.first).to_be_visible(timeout=SLOWEST)
    box.press("Escape")
    expect(page.get_by_role("listbox", name="Completions")).to_be_hidden()
    expect(box).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).not_to_be_focused()
    expect(box).to_have_value(asked)
    box.press("End")

    # What is wrong is said at its column, and the table stays.
    box.press_sequentially(" AND biass<1")
    box.press("Enter")
    expect(page.locator("#query-problem")).to_contain_text("no field “biass”", timeout=SLOWEST)
    expect(rows).to_have_count(2, timeout=SLOWEST)
    box.fill('estimator:truncated name:"table journey"')
    box.press("Enter")
    expect(page.locator("#query-problem")).to_be_empty(timeout=SLOWEST)

    # Fold the seeds, pick by keyboard, tag, archive, and take it back.
    page.get_by_text("Fold seeds").click()
    expect(rows).to_have_count(1, timeout=SLOWEST)
    expect(rows.first).to_contain_text("N = 2")
    rows.first.get_by_role("checkbox").focus()
    page.keyboard.press("x")
    expect(page.get_by_text("2 runs picked")).to_be_visible()
    page.locator(".selection-bar summary").click()
    page.get_by_label("Tag", exact=True).last.fill("journey")
    page.keyboard.press("Enter")
    expect(rows.first.locator(".tag")).to_have_text("journey", timeout=SLOWEST)
    rows.first.get_by_role("checkbox").focus()
    page.keyboard.press("x")
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("2 runs are archived.")).to_be_visible(timeout=SLOWEST)
    expect(page.get_by_text("No run matches")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(1, timeout=SLOWEST)
    assert problems == []
