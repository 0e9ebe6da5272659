"""A run as workers write it, step by step as hypothesis chooses: written, lost, resumed, ended."""

import math

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.webapp.factories import claimed, first_run, person, points
from webapp.accounts.models import User
from webapp.runs import services
from webapp.runs.models import Run, Status

STEPS = 60


class WrittenRun(RuleBasedStateMachine):
    """What a follower hears of each change is up to `changed`."""

    def __init__(self) -> None:
        super().__init__()
        Run.objects.all().delete()
        owner = User.objects.filter(username="hyp").first() or person("hyp")
        self.run = claimed(first_run(owner, outer={"steps": STEPS}))

    def changed(self, *, heard: bool) -> None:
        """The run may be another than before; its followers get a hint, unless that is lost."""
        raise NotImplementedError

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
        self.changed(heard=heard)

    @rule(share=st.floats(0, 1), heard=st.booleans())
    def resume_from_a_checkpoint(self, share: float, heard: bool) -> None:
        run = self.fresh()
        if run.status == Status.RUNNING:
            services.release(run_id=run.pk, attempt=run.attempt)
            claimed(run, resume_from=math.floor(share * run.sequence))
        self.changed(heard=heard)

    @rule(heard=st.booleans())
    def finish(self, heard: bool) -> None:
        run = self.fresh()
        if run.status == Status.RUNNING and run.sequence == STEPS:
            services.finish(run_id=run.pk, attempt=run.attempt, status=Status.FINISHED)
        self.changed(heard=heard)
