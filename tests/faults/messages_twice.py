"""Every message twice and in the wrong order: no run is executed twice at a time."""

from __future__ import annotations

import random

from tests.faults.loose_lab import LooseLab, launched, wait_until
from tests.faults.proof import Figure
from tests.faults.watched import at_the_same_time, executions

RUNS, WORKERS = 24, 2
SHORT = {
    "inner": {"steps": 5},
    "outer": {"steps": 40, "optimizer": {"kind": "sgd", "learning_rate": 0.0001}},
    "estimators": [{"kind": "unrolled"}],
}


def messages_twice(
    lab: LooseLab, chance: random.Random, *, number: int = RUNS
) -> dict[str, Figure]:
    """Every message comes twice and in the wrong order: no run executes twice at a time."""
    from webapp.celery import app
    from webapp.runs.models import ENDS, Run, Status
    from webapp.runs.wake import wake

    watched = lab.home.root / "watched"
    watched.touch()
    runs = launched(**SHORT, seeds=list(range(number)))
    with app.connection_for_write() as connection:
        connection.default_channel.queue_declare("cpu")
        connection.default_channel.queue_purge("cpu")
    messages = [(run.pk, "cpu") for run in runs] * 2
    chance.shuffle(messages)
    wake(messages)
    for _ in range(WORKERS):
        lab.start_worker("tests.faults.watched", WATCHED=str(watched))
    mine = Run.objects.filter(pk__in=[run.pk for run in runs])
    wait_until(lambda: not mine.exclude(status__in=ENDS).exists(), what="all runs ended")
    # And once more, when all is done.
    wake(messages)
    wait_until(lambda: _messages_left() == 0, what="all messages are taken")
    lab.stop_workers()
    found = executions(watched)
    assert mine.filter(status=Status.FINISHED, attempt=1, times_lost=0).count() == number
    return {
        "messages": 2 * len(messages),
        "runs": number,
        "executions": sum(len(each) for each in found.values()),
        "at the same time": at_the_same_time(found),
    }


def _messages_left() -> int:
    from webapp.runs.wake import messages_waiting

    return messages_waiting("cpu")
