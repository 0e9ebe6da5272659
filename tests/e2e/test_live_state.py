"""What a page knows of the runs that it follows, in the browser that will know it.

The messages are those of `webapp.live.messages`; the module is the one that the lab serves.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.e2e

Message = dict[str, Any]

PLAY = """async ([known, messages]) => {
  const { followedRun, afterMessage, missing, hasEnded, isComplete } =
    await import("/static/js/live_state.js");
  let run = followedRun(known);
  const came = [];
  messages.forEach((message, index) => {
    const before = JSON.stringify(run);
    const after = afterMessage(run, message, 1000 + index);
    if (JSON.stringify(run) !== before) throw new Error("a message changed the run before it");
    came.push(after.came);
    run = after.run;
  });
  return { came, run, missing: missing(run), ended: hasEnded(run), complete: isComplete(run) };
}"""

PROOF = """async ([known, now]) => {
  const { followedRun, proofLine } = await import("/static/js/live_state.js");
  return proofLine(known.map((run) => ({ ...followedRun(run), ...run })), now);
}"""


@pytest.fixture
def browser_page(page: Page) -> Page:
    page.goto("/sign-in/")
    return page


def play(page: Page, *messages: Message, sequence: int = 0, attempt: int = 1) -> dict[str, Any]:
    """What came of each of `messages` on a page that has `sequence` points, and the run then."""
    return page.evaluate(PLAY, [{"id": 7, "sequence": sequence, "attempt": attempt}, messages])


def points(first: int, last: int, *, attempt: int = 1, **more: Any) -> Message:
    return {"type": "points", "run": 7, "attempt": attempt, "first": first, "last": last, **more}


def rewind(sequence: int, *, attempt: int) -> Message:
    return {"type": "rewind", "run": 7, "attempt": attempt, "sequence": sequence}


def state(status: str, sequence: int, *, attempt: int = 1, **more: Any) -> Message:
    return {
        "type": "state",
        "run": 7,
        "attempt": attempt,
        "status": status,
        "step": sequence,
        "total_steps": 100,
        "sequence": sequence,
        "elapsed_seconds": 2.5,
        "remaining_seconds": None,
        "error": "",
        **more,
    }


def test_points_follow_what_the_page_has(browser_page: Page) -> None:
    played = play(browser_page, points(11, 14), points(15, 15), sequence=10)
    assert played["came"] == ["points", "points"]
    assert (played["run"]["received"], played["run"]["committed"], played["missing"]) == (15, 15, 0)
    assert played["run"]["lastPointAt"] == 1001


def test_points_seen_before_are_dropped(browser_page: Page) -> None:
    played = play(browser_page, points(1, 5), points(1, 5), points(3, 4), points(4, 8))
    assert played["came"] == ["points", "nothing", "nothing", "points"]
    assert played["run"]["received"] == 8
    assert play(browser_page, points(11, 10), sequence=10)["came"] == ["nothing"]


def test_a_gap_is_noticed_and_nothing_is_taken_past_it(browser_page: Page) -> None:
    played = play(browser_page, points(1, 5), points(7, 9))
    assert played["came"] == ["points", "gap"]
    assert played["run"]["received"] == 5
    filled = play(browser_page, points(1, 5), points(7, 9), points(6, 9))
    assert filled["came"] == ["points", "gap", "points"]
    assert (filled["run"]["received"], filled["missing"]) == (9, 0)


def test_a_back_fill_in_parts_says_how_much_is_still_missing(browser_page: Page) -> None:
    played = play(browser_page, points(1, 1000, sequence=2500))
    assert played["came"] == ["points"]
    assert played["missing"] == 1500


def test_a_state_knows_of_points_that_have_not_come(browser_page: Page) -> None:
    played = play(browser_page, points(1, 5), state("running", 9, remaining_seconds=12.0))
    assert played["came"] == ["points", "state"]
    assert (played["missing"], played["complete"]) == (4, False)
    run = played["run"]
    assert (run["step"], run["totalSteps"], run["elapsed"], run["remaining"]) == (9, 100, 2.5, 12)


def test_a_rewind_cuts_the_tail_off_and_the_new_attempt_writes_it_anew(browser_page: Page) -> None:
    played = play(
        browser_page,
        points(1, 12),
        rewind(4, attempt=2),
        points(5, 6, attempt=2),
    )
    assert played["came"] == ["points", "rewind", "points"]
    run = played["run"]
    assert (run["attempt"], run["received"], run["committed"]) == (2, 6, 6)


def test_a_rewind_to_where_the_page_is_takes_nothing_away(browser_page: Page) -> None:
    played = play(browser_page, points(1, 4), rewind(4, attempt=2), rewind(9, attempt=2))
    assert played["came"] == ["points", "nothing", "nothing"]
    assert (played["run"]["attempt"], played["run"]["received"]) == (2, 4)


def test_points_of_a_new_attempt_rewind_even_without_word_of_it(browser_page: Page) -> None:
    played = play(browser_page, points(1, 12), points(5, 8, attempt=2))
    assert played["came"] == ["points", "points"]
    assert (played["run"]["attempt"], played["run"]["received"]) == (2, 8)
    nothing_new = play(browser_page, points(1, 12), points(5, 4, attempt=2))
    assert nothing_new["came"] == ["points", "rewind"]
    assert nothing_new["run"]["received"] == 4


def test_an_attempt_gone_by_is_not_listened_to(browser_page: Page) -> None:
    late = (points(9, 12), rewind(2, attempt=1), state("failed", 12))
    played = play(browser_page, *late, sequence=8, attempt=2)
    assert played["came"] == ["nothing"] * 3
    assert (played["run"]["received"], played["run"]["status"]) == (8, "")


def test_other_messages_change_nothing(browser_page: Page) -> None:
    played = play(browser_page, {"type": "heartbeat"}, {"type": "of a later version"}, sequence=3)
    assert played["came"] == ["nothing", "nothing"]
    assert played["run"]["received"] == 3


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("queued", False),
        ("running", False),
        ("finished", True),
        ("cancelled", True),
        ("failed", True),
        ("out_of_budget", True),
    ],
)
def test_a_run_is_complete_when_it_has_ended_and_nothing_is_missing(
    browser_page: Page, status: str, ended: bool
) -> None:
    played = play(browser_page, points(1, 5), state(status, 5, error="why", cancel_requested=True))
    assert (played["ended"], played["complete"]) == (ended, ended)
    assert (played["run"]["error"], played["run"]["cancelRequested"]) == ("why", True)
    behind = play(browser_page, points(1, 4), state(status, 5))
    assert (behind["ended"], behind["complete"]) == (ended, False)


def test_the_proof_line_counts_all_runs(browser_page: Page) -> None:
    def line(*runs: dict[str, Any], now: int = 10_000) -> str:
        known = [{"id": n, "attempt": 1, "sequence": 0, **run} for n, run in enumerate(runs)]
        return browser_page.evaluate(PROOF, [known, now])

    going = {"received": 800, "committed": 812, "status": "running", "lastPointAt": 9_700}
    done = {"received": 1200, "committed": 1200, "status": "finished", "lastPointAt": 5_000}
    assert line(going) == "seq 800 / 812 · 12 missing · last point 0.3 s ago"
    assert line(going, done) == "seq 2,000 / 2,012 · 12 missing · last point 0.3 s ago"
    assert line(done, done) == "seq 2,400 / 2,400 · 0 missing · complete"
    assert line({"status": "queued"}) == "seq 0 / 0 · 0 missing"


TAIL = """async ([messages, trace, drawn, log]) => {
  const { LiveTail } = await import("/static/js/live_tail.js");
  const tail = new LiveTail();
  for (const message of messages) {
    if (message.type === "rewind") tail.rewind(message.sequence);
    else tail.add(message);
  }
  tail.drawn(drawn);
  const { x, y } = tail.lengthened({ meta: { part: "line" }, ...trace }, "meta_loss", log);
  return [x, y];
}"""


def lengthened(
    page: Page, *messages: Message, drawn: int, log: bool = False
) -> tuple[list[int], list[float | None]]:
    """The end of a curve whose first `drawn` points the server drew as zeros."""
    trace = {"x": list(range(drawn)), "y": [0] * drawn, "customdata": ["0"] * drawn}
    x, y = page.evaluate(TAIL, [messages, trace, drawn, log])
    assert (x[:drawn], y[:drawn]) == (trace["x"], trace["y"])
    return x[drawn:], y[drawn:]


def losses(first: int, *values: float | str, attempt: int = 1) -> Message:
    steps = list(range(first - 1, first - 1 + len(values)))
    last = first + len(values) - 1
    return points(first, last, attempt=attempt, series={"meta_loss": [steps, list(values)]})


def test_a_curve_is_lengthened_by_what_was_heard_since_the_server_drew_it(browser_page) -> None:
    heard = [losses(1, 9, 9, 9), losses(4, 0.4, 0.5), losses(6, 0.6)]
    assert lengthened(browser_page, *heard, drawn=3) == ([3, 4, 5], [0.4, 0.5, 0.6])
    assert lengthened(browser_page, *heard, drawn=5) == ([5], [0.6])
    assert lengthened(browser_page, *heard, drawn=6) == ([], [])
    # A message that came twice, one that overlaps, and series that are not measured at each step.
    sparse = points(7, 8, series={"bias": [[6], [1.0]], "meta_loss": [[7], [0.8]]})
    again = [*heard, losses(6, 0.6), losses(5, 0.5, 0.6), sparse]
    assert lengthened(browser_page, *again, drawn=3) == ([3, 4, 5, 7], [0.4, 0.5, 0.6, 0.8])


def test_what_a_later_attempt_writes_anew_replaces_the_old_end(browser_page) -> None:
    heard = [losses(4, 1, 1, 1), rewind(4, attempt=2)]
    assert lengthened(browser_page, *heard, drawn=3) == ([3], [1])
    heard = [losses(4, 1, 1, 1), losses(5, 2, attempt=2)]
    assert lengthened(browser_page, *heard, drawn=3) == ([3, 4], [1, 2])


def test_what_has_no_place_on_the_axis_is_a_gap(browser_page) -> None:
    heard = losses(3, "nan", "inf", -1.0, 0.0, 2.0)
    assert lengthened(browser_page, heard, drawn=2)[1] == [None, None, -1, 0, 2]
    assert lengthened(browser_page, heard, drawn=2, log=True)[1] == [None] * 4 + [2]
