"""A newcomer's whole journey through a real lab, in a real browser."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from engine import run
from engine.events import MEASURED_SERIES, Point
from engine.spec import read_text
from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

SECONDS = 1000
SMALL = """
name: small enough to wait for
inner_task: {kind: quadratic, dimension: 6, noise: 0.1}
inner: {steps: 12}
estimators: [{kind: unrolled}, {kind: truncated, window: 3}, {kind: evolution, particles: 4}]
outer: {steps: 9}
seeds: [0, 1]
probes: {every: 3, draws: 3}
"""


def signed_in(page: Page, lab: LabProcess) -> Page:
    page.goto(lab.new_sign_in_link())
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def exported(page: Page, metric: str, form: str, folder: Path) -> Path:
    page.locator(f"[data-chart={metric}] [data-export-open]").click()
    dialog = page.locator("#export-dialog")
    dialog.locator(f"label:has([value={form}])").click()
    with page.expect_download() as waiting:
        dialog.locator("[data-export-download]").click()
    download: Download = waiting.value
    dialog.get_by_label("Close").click()
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


def test_from_the_first_link_to_a_figure_for_a_paper(
    page: Page, lab: LabProcess, tmp_path: Path
) -> None:
    console: list[str] = []
    page.on("console", lambda message: message.type == "error" and console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    signed_in(page, lab)

    # A preset, a change, a field error that saves nothing, and its repair.
    page.locator("a[href='/experiments/new?preset=short-window']").first.click()
    # The forecast comes by the page's script: what is typed from now on is heard.
    expect(page.locator("#launch")).to_contain_text("Launch 5 runs")
    window = page.locator("[name='estimators.1.window']")
    window.fill("300")
    expect(page.locator("#field-estimators-1-window-error")).to_contain_text("inner.steps = 40")
    before = number_of_runs(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#error-summary")).to_contain_text("estimators.1.window")
    expect(window).to_have_value("300")
    assert number_of_runs(page) == before
    window.fill("2")
    expect(page.locator("#error-summary")).to_be_empty()
    page.locator("[name='outer.steps']").fill("30")
    expect(page.locator("#launch")).to_contain_text("Launch 5 runs")
    page.locator("#launch").click()

    # Points arrive, and a reload in the middle neither loses nor doubles one.
    page.wait_for_url(re.compile(r"/experiments/\d+/"))
    experiment = page.url
    expect(page.get_by_text("0 missing").first).to_be_visible(timeout=20 * SECONDS)
    expect(page.locator("[data-chart=meta_loss] .scatterlayer .trace").first).to_be_attached(
        timeout=20 * SECONDS
    )
    page.reload()
    expect(page.get_by_text("5 / 5 runs done")).to_be_visible(timeout=120 * SECONDS)
    expect(page.get_by_text(re.compile(r"150 / 150 · 0 missing"))).to_be_visible()
    expect(page.get_by_text("Truncated, last 40").first).to_be_visible()

    # K = T agrees with the oracle to rounding, K = 2 does not.
    path = exported(page, "bias_relative", "csv", tmp_path)
    last = last_values(path)
    assert last["Truncated, last 40"] < 1e-4
    assert last["Truncated, last 2"] > 0.5

    # Two runs beside each other, and a figure for a paper.
    page.goto(f"/runs/?q=Truncated&experiment={experiment.rstrip('/').split('/')[-1]}")
    boxes = page.get_by_role("checkbox", name=re.compile("^Pick run"))
    expect(boxes).to_have_count(4)
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name=re.compile("Compare")).or_(
        page.get_by_role("link", name=re.compile("Compare 2"))
    ).last.click()
    expect(page.get_by_role("heading", name="Comparison")).to_be_visible()
    expect(page.locator("[data-chart=meta_loss] .scatterlayer .trace")).not_to_have_count(0)
    svg = exported(page, "meta_loss", "svg", tmp_path).read_text()
    assert "<svg" in svg
    assert "What happens with a short truncation window?" in svg
    drawn = exported(page, "meta_loss", "csv", tmp_path)
    assert len(rows_of(drawn)) == 2 * 30

    page.get_by_role("button", name=re.compile("admin|Account")).or_(
        page.get_by_role("link", name="Account")
    ).last.click()
    page.get_by_role("button", name="Sign out").first.click()
    expect(page).to_have_url(re.compile("/sign-in/"))
    page.goto(experiment)
    expect(page).to_have_url(re.compile("/sign-in/"))
    # The refused launch is a failed request to the browser. A report of the form that a newer one
    # overtakes is given up, which htmx says too. There is nothing else to complain of.
    expected = re.compile("422|htmx:(sendAbort|afterRequest)")
    assert [line for line in console if not expected.search(line)] == []


def test_the_web_gives_the_numbers_of_the_engine(
    page: Page, lab: LabProcess, tmp_path: Path
) -> None:
    """The same spec in this process and through the lab: equal, not close."""
    signed_in(page, lab)
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    answer = page.request.post(
        f"{lab.url}/api/v1/experiments",
        data=SMALL,
        headers={
            "Content-Type": "application/yaml", "X-CSRFToken": token, "Referer": lab.url
        },
    )  # fmt: skip
    assert answer.status == 201, answer.text()
    created = answer.json()
    page.goto(f"/experiments/{created['id']}/")
    expect(page.get_by_text("6 / 6 runs done")).to_be_visible(timeout=60 * SECONDS)
    experiment = page.request.get(f"{lab.url}/api/v1/experiments/{created['id']}").json()
    through_the_web = {}
    for index, item in enumerate(experiment["runs"]):
        points = page.request.get(f"{lab.url}/api/v1/runs/{item['id']}/series?after=0").json()
        for name, (steps, values) in points["series"].items():
            for step, value in zip(steps, values, strict=True):
                through_the_web[index, name, step] = value
    alone = {
        (event.run, name, event.step): value
        for event in run(read_text(SMALL))
        if isinstance(event, Point)
        for name, value in event.values.items()
    }
    assert through_the_web.keys() == alone.keys()
    different = {
        key: (through_the_web[key], value)
        for key, value in alone.items()
        if key[1] not in MEASURED_SERIES and through_the_web[key] != value
    }
    assert different == {}


def number_of_runs(page: Page) -> int:
    return page.request.get("/api/v1/runs").json()["count"]


def rows_of(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def last_values(path: Path) -> dict[str, float]:
    """The last drawn value of each curve of an exported CSV."""
    return {row["label"]: float(row["value"]) for row in rows_of(path)}


def test_an_experiment_that_waits_says_so(page: Page, lab: LabProcess) -> None:
    signed_in(page, lab)

    def press(word: str) -> None:
        page.goto("/queue/")
        page.locator(".worker").get_by_role("button", name=word, exact=True).first.click()

    press("Pause")
    try:
        page.goto("/experiments/new")
        page.locator("#tab-yaml").click()
        page.locator("#yaml-text").fill(SMALL)
        expect(page.locator("[name='name']")).to_have_value("small enough to wait for")
        page.locator("#launch").click()
        page.wait_for_url(re.compile(r"/experiments/\d+/"))
        here = page.url
        expect(page.locator("[data-left]")).to_have_text("waiting for a worker")
    finally:
        press("Resume")
    page.goto(here)
    expect(page.get_by_text("6 / 6 runs done")).to_be_visible(timeout=90 * SECONDS)
    expect(page.locator("[data-left]")).to_be_empty()
