"""What a curve does between two drawings of Plotly, in the browser that draws it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.lab_process import LabProcess

pytestmark = pytest.mark.e2e

SECONDS = 1000
ENDLESS = """
name: a curve that grows
inner_task: {kind: quadratic, dimension: 3}
inner: {steps: 4}
estimators: [{kind: truncated, window: 2}]
outer: {steps: 100000}
seeds: [0]
"""
LENGTHEN = """async ([curve, messages, log]) => {
  const { forgetLengthening, lengthenCurve } = await import("/static/js/live_line.js");
  const plot = document.createElement("div");
  document.querySelector("#content").prepend(plot);
  const layout = {
    width: 500,
    height: 300,
    xaxis: { range: [0, 10] },
    yaxis: log ? { type: "log", range: [-3, 1] } : { range: [0, 10] },
  };
  const trace = { type: "scatter", mode: "lines", line: { color: "#0072b2" }, ...curve };
  await Plotly.newPlot(plot, [trace], layout);
  const fits = messages.map((more) => lengthenCurve(plot, 0, () => more));
  const { xaxis, yaxis } = plot._fullLayout;
  const path = plot.querySelector(".live-line");
  const pieces = path.getAttribute("d").split("M").filter(Boolean);
  const point = (pair) => {
    const [x, y] = pair.split(",").map(Number);
    return [xaxis.p2d(x), yaxis.p2d(y)].map((value) => Number(value.toPrecision(2)));
  };
  const found = {
    pieces: pieces.map((piece) => piece.split("L").map(point)),
    colour: getComputedStyle(path).stroke,
    fits,
  };
  forgetLengthening(plot);
  found.left = plot.querySelectorAll(".live-line").length;
  plot.remove();
  return found;
}"""
PACE = """async ([arrivals, now]) => {
  const { LiveTail } = await import("/static/js/live_tail.js");
  const tail = new LiveTail();
  for (const [last, at] of arrivals) tail.add({ first: last, last, series: {} }, at);
  return tail.pace(now);
}"""
WATCH = """() => new Promise((done) => {
  const plot = document.querySelector("[data-chart=meta_loss] [data-plot]");
  let drawings = 0;
  let lengthenings = 0;
  let room = 0;
  plot.on("plotly_afterplot", () => {
    drawings += 1;
    const last = Math.max(...plot.data.map(({ x }) => x.at(-1) ?? 0));
    room = Math.max(room, plot._fullLayout.xaxis.range[1] - last);
  });
  const observer = new MutationObserver((changes) => {
    lengthenings += changes.filter(({ target }) => target.matches(".live-line")).length;
  });
  observer.observe(plot, { subtree: true, attributeFilter: ["d"] });
  setTimeout(() => done({ drawings, lengthenings, room }), 5_000);
})"""
ROOM = """() => {
  const { data, _fullLayout } = document.querySelector("[data-chart=meta_loss] [data-plot]");
  return Math.abs(_fullLayout.xaxis.range[1] - Math.max(...data.map(({ x }) => x.at(-1)))) < 0.5;
}"""


@pytest.fixture
def charts_page(page: Page, lab: LabProcess) -> Page:
    page.goto(lab.new_sign_in_link())
    page.goto("/graph-size/")
    page.wait_for_function("window.Plotly !== undefined")
    return page


More = tuple[list[float], list[float | None]]


def lengthened(page: Page, *messages: More, log: bool = False) -> dict[str, Any]:
    """A curve through (1, 1) and (2, 4), with more points; pieces are in the axes' units."""
    more = [{"x": x, "y": y} for x, y in messages]
    return page.evaluate(LENGTHEN, [{"x": [1, 2], "y": [1, 4]}, more, log])


def test_a_curve_goes_on_from_its_end_and_looks_as_before(charts_page: Page) -> None:
    found = lengthened(charts_page, ([3, 4], [5, 2]))
    assert found["pieces"] == [[[2, 4], [3, 5], [4, 2]]]
    assert found["fits"] == [True]
    assert found["colour"] == "rgb(0, 114, 178)"
    assert found["left"] == 0


def test_it_is_not_joined_over_a_gap(charts_page: Page) -> None:
    pieces = [[[2, 4], [3, 5]], [[5, 2], [6, 3]]]
    assert lengthened(charts_page, ([3, 4, 5, 6], [5, None, 2, 3]))["pieces"] == pieces
    assert lengthened(charts_page, ([3, 4], [5, None]), ([5, 6], [2, 3]))["pieces"] == pieces
    assert lengthened(charts_page, ([3], [None]))["pieces"] == [[[2, 4]]]


def test_what_comes_later_is_joined_to_what_came_before(charts_page: Page) -> None:
    found = lengthened(charts_page, ([3], [5]), ([4, 5], [2, 3]))
    assert found["pieces"] == [[[2, 4], [3, 5], [4, 2], [5, 3]]]


def test_a_column_of_pixels_has_its_ends_and_its_last_point(charts_page: Page) -> None:
    within = [3 + index / 1e6 for index in range(1000)]
    heights = [5, 9, 1, *([4] * 996), 6]
    found = lengthened(charts_page, (within, heights), ([4], [2]))
    assert found["pieces"] == [[[2, 4], [3, 5], [3, 9], [3, 1], [3, 6], [4, 2]]]


def test_it_says_when_the_axes_are_too_short(charts_page: Page) -> None:
    assert lengthened(charts_page, ([9], [5]), ([11], [5]))["fits"] == [True, False]
    assert lengthened(charts_page, ([3], [12]), ([4], [5]))["fits"] == [False, False]
    assert lengthened(charts_page, ([3], [1e-4]), log=True)["fits"] == [False]


def test_a_logarithmic_axis_places_it(charts_page: Page) -> None:
    found = lengthened(charts_page, ([3, 4], [0.5, 0.01]), log=True)
    assert found["pieces"] == [[[2, 4], [3, 0.5], [4, 0.01]]]


@pytest.mark.parametrize(
    ("arrivals", "now", "pace"),
    [
        ([[10, 1_000], [20, 1_500], [30, 2_000]], 2_000, 0.02),
        ([], 2_000, 0),
        ([[10, 1_000]], 1_000, 0),
        ([[1_000, 1_000], [6_000, 1_010]], 1_020, 0),  # what a page had missed, all at once
        ([[10, 1_000], [20, 1_500]], 9_000, 0),  # long ago
        ([[90, 1_000], [40, 1_600]], 1_600, 0),  # rewound
    ],
)
def test_the_pace_is_that_of_the_last_two_seconds(
    charts_page: Page, arrivals: list[list[int]], now: int, pace: float
) -> None:
    assert charts_page.evaluate(PACE, [arrivals, now]) == pytest.approx(pace)


def test_points_are_seen_between_two_drawings_on_an_axis_that_has_room(
    page: Page, lab: LabProcess
) -> None:
    page.goto(lab.new_sign_in_link())
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    headers = {"Content-Type": "application/yaml", "X-CSRFToken": token, "Referer": lab.url}
    answer = page.request.post(f"{lab.url}/api/v1/experiments", data=ENDLESS, headers=headers)
    page.goto(f"/runs/{answer.json()['runs'][0]['id']}/")
    curve = page.locator("[data-chart=meta_loss] .scatterlayer .js-line")
    expect(curve.first).to_be_attached(timeout=60 * SECONDS)
    seen = page.evaluate(WATCH)
    assert 1 <= seen["drawings"] < seen["lengthenings"]
    assert seen["room"] > 0

    # A run that stands still fills its axis; the page is not loaded anew, as the button would do.
    pause = page.locator("#run-actions form").first.get_attribute("action")
    assert page.request.post(f"{lab.url}{pause}", headers=headers).ok
    expect(page.locator("[data-status-pill]")).to_have_text("paused", timeout=20 * SECONDS)
    page.wait_for_function(ROOM, timeout=20 * SECONDS)
    page.get_by_role("button", name="Cancel").first.click()
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator("[data-status-pill]")).to_have_text("cancelled", timeout=20 * SECONDS)
