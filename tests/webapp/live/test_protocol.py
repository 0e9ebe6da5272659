"""Whatever happens to hints and connections, a follower shows what Postgres has, once."""

import math

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.webapp.factories import claimed, first_run, person, points
from tests.webapp.live.follower import Follower
from webapp.live import catch_up
from webapp.live.catch_up import Cursor, back_fill, news
from webapp.runs import services
from webapp.runs.models import Run, Status
from webapp.runs.selectors import series

STEPS = 60


class LostAndDoubledHints(RuleBasedStateMachine):
    """A run is written, lost, resumed and rewound; its follower hears of it by chance.

    A dropped hint is a change that is not heard, a doubled or late one a `hear` without a change.
    """

    def __init__(self) -> None:
        super().__init__()
        Run.objects.all().delete()
        owner = self.owner()
        self.run = first_run(owner, outer={"steps": STEPS})
        self.run = claimed(self.run)
        self.follower = Follower()
        self.cursor = Cursor()
        self.write(count=20, heard=True)

    @staticmethod
    def owner():
        from webapp.accounts.models import User

        return User.objects.filter(username="hyp").first() or person("hyp")

    def fresh(self) -> Run:
        return Run.objects.get(pk=self.run.pk)

    @rule(count=st.integers(1, 25), heard=st.booleans())
    def write(self, count: int, heard: bool) -> None:
        run = self.fresh()
        last = min(run.sequence + count, STEPS)
        if run.status == Status.RUNNING and last > run.sequence:
            services.record_points(
                run_id=run.pk,
                attempt=run.attempt,
                points=points(run.sequence + 1, last, offset=1000 * run.attempt),
            )
        if heard:
            self.hear()

    @rule(share=st.floats(0, 1), heard=st.booleans())
    def resume_from_a_checkpoint(self, share: float, heard: bool) -> None:
        run = self.fresh()
        if run.status == Status.RUNNING:
            services.release(run_id=run.pk, attempt=run.attempt)
            claimed(run, resume_from=math.floor(share * run.sequence))
        if heard:
            self.hear()

    @rule()
    def finish(self) -> None:
        run = self.fresh()
        if run.status == Status.RUNNING and run.sequence == STEPS:
            services.finish(run_id=run.pk, attempt=run.attempt, status=Status.FINISHED)

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
