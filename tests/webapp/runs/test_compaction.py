"""However a run ends, its many small chunks become few large ones, and read back the same bytes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.webapp.factories import claimed, first_run, person, points
from webapp.accounts.models import User
from webapp.runs import pausing, services
from webapp.runs.models import Run, SeriesChunk, Status
from webapp.runs.selectors import series

pytestmark = pytest.mark.django_db


def finished(run: Run, owner: User) -> None:
    services.finish(run_id=run.pk, attempt=2, status=Status.FINISHED)


def cancelled_while_paused(run: Run, owner: User) -> None:
    pausing.pause(run_id=run.pk, attempt=2)
    services.request_cancel(user=owner, run=run)


def lost_for_good(run: Run, owner: User) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Run.objects.filter(pk=run.pk).update(times_lost=services.MOST_LOSSES - 1, lease_until=past)
    assert services.requeue_expired() == [run.pk]


@pytest.mark.parametrize("end", [finished, cancelled_while_paused, lost_for_good])
def test_the_chunks_of_an_ended_run_are_few_and_the_same(end) -> None:
    ada = person("ada")
    run = claimed(first_run(ada, outer={"steps": 90}))
    for first in range(1, 50, 3):
        services.record_points(run_id=run.pk, attempt=1, points=points(first, first + 2))
    services.release(run_id=run.pk, attempt=1)
    claimed(run, resume_from=40)
    for first in range(41, 90, 7):
        services.record_points(run_id=run.pk, attempt=2, points=points(first, first + 6))

    def stored() -> dict[str, tuple[bytes, bytes]]:
        found = series([run.pk])[run.pk]
        return {
            name: (steps.tobytes(), values.tobytes()) for name, (steps, values) in found.items()
        }

    before, many = stored(), SeriesChunk.objects.filter(run=run, name="meta_loss").count()
    end(run, ada)
    assert Run.objects.get(pk=run.pk).has_ended
    assert stored() == before
    few = SeriesChunk.objects.filter(run=run, name="meta_loss")
    assert many > 15
    assert few.count() == 2, "one for each attempt that wrote of it"
    assert [(c.first_sequence, c.last_sequence) for c in few] == [(1, 40), (41, 89)]
