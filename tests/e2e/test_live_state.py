"""The live client's pure part, in the browser that runs it: nothing missing, nothing twice."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.e2e

MODULE = Path(__file__).parents[2] / "static/js/live_state.js"
FOLLOW = """async ([module, start, messages]) => {
  const { followedRun, afterMessage, proofLine } = await import(module);
  let run = followedRun(start);
  const came = [];
  for (const message of messages) {
    const after = afterMessage(run, message, 1000);
    run = after.run;
    came.push(after.came);
  }
  return { run, came, proof: proofLine([run], 1300) };
}"""

Follow = Callable[..., dict[str, Any]]


@pytest.fixture
def follow(browser: Browser) -> Iterator[Follow]:
    """What a page knows after some messages; it starts with ten points of attempt 1."""
    source = base64.b64encode(MODULE.read_bytes()).decode()
    page = browser.new_page()
    start = {"id": 7, "sequence": 10, "attempt": 1}
    module = f"data:text/javascript;base64,{source}"
    yield lambda *messages: page.evaluate(FOLLOW, [module, start, list(messages)])
    page.close()


def points(first: int, last: int, *, attempt: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "points", "run": 7, "attempt": attempt, "first": first, "last": last} | more


def state(sequence: int, *, status: str = "running", attempt: int = 1) -> dict[str, Any]:
    return {
        "type": "state",
        "run": 7,
        "attempt": attempt,
        "status": status,
        "step": sequence,
        "total_steps": 100,
        "sequence": sequence,
        "elapsed_seconds": 1.5,
        "remaining_seconds": 3.0,
        "error": "",
    }


def test_points_that_follow_are_taken(follow: Follow) -> None:
    after = follow(state(14), points(11, 14))
    assert after["came"] == ["state", "points"]
    assert after["run"]["received"] == 14
    assert after["proof"] == "seq 14 / 14 · 0 missing · last point 0.3 s ago"


def test_points_seen_before_are_dropped(follow: Follow) -> None:
    after = follow(points(11, 14), points(11, 14), points(9, 12))
    assert after["came"] == ["points", "nothing", "nothing"]
    assert after["run"]["received"] == 14


def test_points_that_overlap_what_is_there_bring_only_the_rest(follow: Follow) -> None:
    after = follow(points(8, 13))
    assert after["came"] == ["points"]
    assert after["run"]["received"] == 13


def test_a_gap_is_noticed_and_counted_as_missing(follow: Follow) -> None:
    after = follow(state(20), points(15, 20))
    assert after["came"] == ["state", "gap"]
    assert after["run"]["received"] == 10
    assert after["proof"].startswith("seq 10 / 20 · 10 missing")


def test_a_back_fill_closes_the_gap(follow: Follow) -> None:
    after = follow(points(15, 20), points(11, 20, sequence=20))
    assert after["came"] == ["gap", "points"]
    assert after["run"]["received"] == 20


def test_a_rewind_forgets_the_tail_and_the_new_attempt_goes_on(follow: Follow) -> None:
    rewind = {"type": "rewind", "run": 7, "attempt": 2, "sequence": 5}
    after = follow(rewind, points(11, 12), points(6, 9, attempt=2))
    assert after["came"] == ["rewind", "nothing", "points"]
    assert after["run"]["attempt"] == 2
    assert after["run"]["received"] == 9


def test_points_of_a_new_attempt_rewind_by_themselves(follow: Follow) -> None:
    after = follow(points(4, 6, attempt=2))
    assert after["came"] == ["points"]
    assert after["run"]["received"] == 6


def test_what_an_attempt_gone_by_still_says_is_ignored(follow: Follow) -> None:
    after = follow(state(10, attempt=3), points(11, 12, attempt=3), state(99, attempt=2))
    assert after["came"] == ["state", "points", "nothing"]
    assert after["run"]["step"] == 10


def test_a_run_is_complete_when_it_has_ended_and_nothing_is_missing(follow: Follow) -> None:
    assert follow(points(11, 20), state(20, status="finished"))["proof"].endswith("complete")
    unfinished = follow(state(20, status="finished"))["proof"]
    assert unfinished == "seq 10 / 20 · 10 missing"
