"""Whatever happens to hints and connections, a follower shows what Postgres has, once."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from tests.webapp.live.follower import Follower
from tests.webapp.live.written_run import WrittenRun
from webapp.live import catch_up
from webapp.live.catch_up import Cursor, back_fill, news
from webapp.runs.models import Run
from webapp.runs.selectors import series


class LostAndDoubledHints(WrittenRun):
    """A run is written, lost, resumed and rewound; its follower hears of it by chance.

    A dropped hint is a change that is not heard, a doubled or late one a `hear` without a change.
    """

    def __init__(self) -> None:
        super().__init__()
        self.follower = Follower()
        self.cursor = Cursor()
        self.write(count=20, heard=True)

    def changed(self, *, heard: bool) -> None:
        if heard:
            self.hear()

    @rule()
    def hear(self) -> None:
        self.read(self.fresh())

    @rule()
    def lose_the_last_read(self) -> None:
        """The connection breaks while messages are on their way: the page subscribes again."""
        news(self.fresh(), self.cursor)
        self.subscribe_again()

    @rule()
    def subscribe_again(self) -> None:
        self.cursor = Cursor(**self.follower.cursor())

    @rule()
    def subscribe_without_the_attempt(self) -> None:
        self.cursor = Cursor(sequence=self.follower.sequence)

    @rule()
    def back_fill_over_http(self) -> None:
        self.follower.take(back_fill(self.fresh(), Cursor(**self.follower.cursor())))
        self.subscribe_again()

    @rule()
    def reload(self) -> None:
        self.follower, self.cursor = Follower(), Cursor()

    def read(self, run: Run) -> bool:
        found = news(run, self.cursor)
        for message in found.messages:
            self.follower.take(message)
        self.cursor = found.cursor
        return found.complete

    @invariant()
    def nothing_comes_twice_and_nothing_is_skipped(self) -> None:
        assert self.follower.doubled == 0
        assert self.follower.gaps == 0

    def teardown(self) -> None:
        """After one heartbeat, the follower equals a page that was opened now."""
        while not self.read(self.fresh()):
            pass
        truth = series([self.run.pk]).get(self.run.pk, {})
        shown = {
            name: (sorted(entries), [entries[step] for step in sorted(entries)])
            for name, entries in self.follower.entries.items()
            if entries
        }
        assert shown == {name: (s.tolist(), v.tolist()) for name, (s, v) in truth.items()}
        run = self.fresh()
        assert (self.follower.sequence, self.follower.status) == (run.sequence, run.status)
        self.nothing_comes_twice_and_nothing_is_skipped()


@pytest.mark.django_db
def test_a_follower_shows_what_was_committed(monkeypatch) -> None:
    monkeypatch.setattr(catch_up, "POINTS_IN_A_MESSAGE", 4)
    monkeypatch.setattr(catch_up, "POINTS_IN_A_READ", 10)
    run_state_machine_as_test(
        LostAndDoubledHints,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
