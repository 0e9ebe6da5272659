"""What `make faults` proves at length, in seconds: real processes, killed and told twice."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from pathlib import Path
from socket import gethostname

import pytest
from django.utils import timezone

from tests.faults.executing import execute_one, fork_server, take_messages
from tests.faults.truth import computed, doubled_or_missing, recorded
from tests.faults.watched import at_the_same_time, executions
from tests.webapp.factories import first_run, launched, person
from tests.webapp.worker_process import wait_until
from webapp.runs.models import Run, Status
from webapp.runs.services import requeue_expired
from webapp.workers import pulse
from webapp.workers.pulse import Machine

pytestmark = pytest.mark.django_db(transaction=True)

STEPS, KILLS = 100, 2
LONG = {
    "outer": {"steps": STEPS, "optimizer": {"kind": "sgd", "learning_rate": 0.0001}},
    "probes": {"every": 50},
    "estimators": [{"kind": "unrolled"}],
    "seeds": [5],
}
SHORT = {"outer": {"steps": 10}, "estimators": [{"kind": "unrolled"}]}


def test_killed_at_random_moments_a_run_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"\nseed {seed}")
    chance = random.Random(seed)  # noqa: S311
    run = first_run(person("ada"), **LONG)

    def fresh() -> Run:
        return Run.objects.get(pk=run.pk)

    with fork_server(tmp_path) as processes:
        for moment in sorted(chance.sample(range(1, STEPS - 20), KILLS)):
            worker = processes.Process(target=execute_one, args=(run.pk, "worker@test"))
            worker.start()
            wait_until(lambda at=moment: fresh().sequence >= at, seconds=60)
            time.sleep(chance.random() * 0.02)
            worker.kill()
            worker.join()
            # Instead of waiting for half a minute.
            past = timezone.now() - timedelta(seconds=1)
            assert Run.objects.filter(pk=run.pk, attempt__gte=1).update(lease_until=past)
            assert requeue_expired() == [run.pk]
        last = processes.Process(target=execute_one, args=(run.pk, "worker@test"))
        last.start()
        last.join()
    ended = fresh()
    assert (ended.status, ended.attempt, ended.times_lost) == (Status.FINISHED, KILLS + 1, KILLS)
    assert recorded(run.pk) == computed(run.spec)
    assert doubled_or_missing(run.pk) == 0


def test_messages_twice_and_in_the_wrong_order_execute_each_run_once(tmp_path: Path) -> None:
    machine = Machine(device="2 CPU cores", has_gpu=False, memory_bytes=8 * 2**30)
    pulse.report(name=gethostname(), queues=["cpu"], slots=2, machine=machine)
    runs = list(launched(person("ada"), **SHORT, seeds=list(range(6))).runs.all())
    messages = [run.pk for run in runs] * 2
    watched = tmp_path / "watched"
    with fork_server(tmp_path) as processes:
        workers = [
            processes.Process(
                target=take_messages,
                args=(random.Random(number).sample(messages, len(messages)), watched),  # noqa: S311
            )
            for number in range(2)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert Run.objects.filter(status=Status.FINISHED, attempt=1).count() == len(runs)
    found = executions(watched)
    assert sum(len(each) for each in found.values()) == len(runs)
    assert at_the_same_time(found) == 0
