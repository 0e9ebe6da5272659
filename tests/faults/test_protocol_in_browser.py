"""The live protocol over a network that drops, doubles, reorders and disconnects, as hypothesis
chooses: the page's own modules in Chromium on one side, the server's own reads of a real Postgres
on the other. In the end the page has what a page that is opened then has."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test
from playwright.sync_api import Page

from tests.webapp.live.written_run import WrittenRun
from webapp.live import catch_up, messages
from webapp.live.catch_up import Cursor, back_fill, news
from webapp.live.consumer import numbered
from webapp.runs.selectors import series

pytestmark = pytest.mark.e2e

SCHEDULES = int(os.environ.get("FAULT_SCHEDULES", "8"))
"""How many random schedules; `make faults` tries many more."""
FAULTY_NETWORK = (Path(__file__).parent / "faulty_network.js").read_text()
CONNECTING, OPEN, CLOSED = 0, 1, 3
ROUNDS_TO_HEAL = 40
ARRIVAL = st.tuples(st.sampled_from(["early", "twice", "drop", "in order"]), st.integers(0, 4))
"""What becomes of a frame on the way, and of which one."""


@pytest.fixture(autouse=True, scope="module")
def _database_beside_a_browser() -> Iterator[None]:
    """Playwright's event loop is this thread's, and only waits while the database is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


class FaultyNetwork(WrittenRun):
    """`on_the_way` are frames from the server to the page, `answers` what HTTP has read for it."""

    browser_page: Page
    faults = 0

    def __init__(self) -> None:
        super().__init__()
        self.cursor: Cursor | None = None
        self.frames_sent = 0
        self.on_the_way: list[str] = []
        self.answers: dict[int, tuple[int, Any]] = {}
        followed = {"id": self.run.pk, "sequence": 0, "attempt": 1, "status": "running"}
        self.page = self.browser_page.evaluate(FAULTY_NETWORK, followed)
        self.connect()
        self.write(count=12, heard=True)

    def act(self, name: str, argument: Any = None) -> None:
        """Let the page do or hear something, and take what it says to the server."""
        self.page = self.browser_page.evaluate(
            "([name, argument]) => window.page(name, argument)", [name, argument]
        )
        for frame in self.page["said"]:
            asked = json.loads(frame)["subscribe"]
            self.cursor = Cursor(**asked[str(self.run.pk)]) if asked else None
            self.tell()

    def send(self, message: messages.Message) -> None:
        self.frames_sent += 1
        self.on_the_way.append(numbered(json.dumps(message), self.frames_sent))

    def tell(self) -> None:
        """What the consumer does at a hint."""
        complete = False
        while self.cursor and not complete:
            found = news(self.fresh(), self.cursor)
            self.cursor, complete = found.cursor, found.complete
            for message in found.messages:
                self.send(message)

    def changed(self, *, heard: bool) -> None:
        if heard and self.page["socket"] == OPEN:
            self.tell()

    def connect(self) -> None:
        if self.page["socket"] == CONNECTING:
            self.cursor, self.frames_sent, self.on_the_way = None, 0, []
            self.act("open")

    def heartbeat(self) -> None:
        if self.page["socket"] == OPEN:
            self.send(messages.HEARTBEAT)
            self.tell()

    def deliver(self, place: int = 0) -> None:
        self.act("deliver", self.on_the_way.pop(place))

    def read_for_http(self) -> None:
        """An answer is read now, and may arrive much later."""
        for number, address in self.page["requests"]:
            if number not in self.answers:
                self.answers[number] = (200, self._read(address))

    def answer_http(self) -> None:
        for number in list(self.answers)[:1]:
            self.act("answer", [number, *self.answers.pop(number)])

    @rule(arrivals=st.lists(ARRIVAL, min_size=3, max_size=10))
    def frames_arrive(self, arrivals: list[tuple[str, int]]) -> None:
        for what, place in arrivals:
            self.a_frame_arrives(what, place)

    def a_frame_arrives(self, what: str, place: int) -> None:
        if not self.on_the_way:
            return
        place = min(place, len(self.on_the_way) - 1)
        if what == "in order":
            for _ in range(place + 1):
                self.deliver()
            return
        FaultyNetwork.faults += 1
        if what == "twice":
            self.act("deliver", self.on_the_way[place])
        if what == "drop":
            del self.on_the_way[place]
        else:
            self.deliver(place)

    @rule(broken=st.booleans())
    def the_connection_opens_or_breaks(self, broken: bool) -> None:
        if not broken:
            self.connect()
        elif self.page["socket"] != CLOSED:
            FaultyNetwork.faults += 1
            self.cursor, self.on_the_way = None, []
            self.act("close")

    @rule(what=st.sampled_from(["read", "answer", "answer", "fail"]))
    def http(self, what: str) -> None:
        if what == "read":
            self.read_for_http()
        elif what == "answer":
            self.read_for_http()
            self.answer_http()
        else:
            for number, _ in self.page["requests"][:1]:
                FaultyNetwork.faults += 1
                self.answers.pop(number, None)
                self.act("answer", [number, 0, None])

    @rule(milliseconds=st.sampled_from([300, 2_000, 13_000]), beats=st.booleans())
    def time_goes_by(self, milliseconds: int, beats: bool) -> None:
        self.act("wait", milliseconds)
        if beats:
            self.heartbeat()

    def _read(self, address: str) -> Any:
        parts = urlsplit(address)
        if not parts.path.endswith("/series"):
            return messages.state(self.fresh())
        query = {name: int(value) for name, (value,) in parse_qs(parts.query).items()}
        return back_fill(
            self.fresh(), Cursor(sequence=query["after"], attempt=max(query["attempt"], 1))
        )

    @invariant()
    def what_is_shown_has_no_hole_and_nothing_twice(self) -> None:
        steps = self.page["shown"].get("meta_loss", [[]])[0]
        assert steps == list(range(self.page["run"]["received"]))

    def teardown(self) -> None:
        """What is on the way is lost, then the network is well again: after some heartbeats the
        page equals the database."""
        self.write(count=1, heard=True)
        FaultyNetwork.faults += len(self.on_the_way)
        self.on_the_way.clear()
        for _ in range(ROUNDS_TO_HEAL):
            self.connect()
            self.read_for_http()
            while self.answers:
                self.answer_http()
            self.heartbeat()
            while self.on_the_way:
                self.deliver()
            if not self.on_the_way and not self.page["requests"] and self._is_true():
                break
            self.act("wait", 2_000)
        assert self._is_true(), (self.page["run"], self.truth())

    def _is_true(self) -> bool:
        run, page = self.fresh(), self.page["run"]
        shown = {name: entries for name, entries in self.page["shown"].items() if entries[0]}
        return (
            shown == self.truth()
            and (page["received"], page["committed"]) == (run.sequence, run.sequence)
            and (page["status"], page["attempt"]) == (run.status, run.attempt)
        )

    def truth(self) -> dict[str, list[list[float]]]:
        found = series([self.run.pk]).get(self.run.pk, {})
        return {name: [steps.tolist(), values.tolist()] for name, (steps, values) in found.items()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
def test_a_page_over_a_faulty_network_ends_with_the_truth(page: Page, monkeypatch) -> None:
    monkeypatch.setattr(catch_up, "POINTS_IN_A_MESSAGE", 4)
    monkeypatch.setattr(catch_up, "POINTS_IN_A_READ", 10)
    page.goto("/sign-in/")
    FaultyNetwork.browser_page, FaultyNetwork.faults = page, 0
    run_state_machine_as_test(
        FaultyNetwork,
        settings=settings(
            max_examples=SCHEDULES,
            stateful_step_count=40,
            deadline=None,
            # A schedule that fails is shown as it is: to shrink it would take minutes.
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"\n{SCHEDULES} schedules, {FaultyNetwork.faults} faults")
    assert FaultyNetwork.faults > 0, "the network is faulty"
