"""The queue's page, the workers' heartbeats, and the healing of what was lost."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.webapp.factories import claimed, first_run, launched, person, signed_in
from webapp.celery import app
from webapp.runs.healing import heal
from webapp.runs.models import Run, Status
from webapp.runs.wake import messages_waiting
from webapp.scheduling.waking import wake_if_free
from webapp.workers import pulse
from webapp.workers.models import Worker
from webapp.workers.pulse import Machine
from webapp.workers.queue_page import queue_now
from webapp.workers.selectors import live_workers, queue_for

pytestmark = pytest.mark.django_db

CPU = Machine(device="2 CPU cores, x86_64", has_gpu=False, memory_bytes=8 * 2**30)
UNKNOWN = " Its memory is not known: the largest free slot takes it."
GPU = Machine(device="NVIDIA H100", has_gpu=True, memory_bytes=80 * 2**30)


@pytest.fixture(autouse=True)
def _empty_queues() -> None:
    with app.connection_for_write() as connection:
        for queue in ("cpu", "gpu"):
            connection.default_channel.queue_declare(queue)
            connection.default_channel.queue_purge(queue)


def silence(worker: str, seconds: int) -> None:
    then = timezone.now() - timedelta(seconds=seconds)
    Worker.objects.filter(name=worker).update(heartbeat_at=then)


def test_a_silent_worker_is_gone_and_later_forgotten() -> None:
    for name in ("a", "b"):
        pulse.report(name=name, queues=["cpu"], slots=2, machine=CPU)
    silence("b", 31)
    assert [worker.name for worker in live_workers()] == ["a"]
    silence("b", 3601)
    pulse.report(name="a", queues=["cpu"], slots=2, machine=CPU)
    assert Worker.objects.count() == 1


def test_auto_takes_a_gpu_where_a_worker_has_one() -> None:
    assert (queue_for("cpu"), queue_for("cuda"), queue_for("auto")) == ("cpu", "gpu", "cpu")
    pulse.report(name="gpu0", queues=["gpu"], slots=1, machine=GPU)
    assert queue_for("auto") == "gpu"
    silence("gpu0", 60)
    assert queue_for("auto") == "cpu"


def test_what_waits_says_where_and_why() -> None:
    ada = person("ada")
    pulse.report(name="cpu@host", queues=["cpu"], slots=2, machine=CPU)
    launched(ada, seeds=[0])
    launched(ada, seeds=[0], estimators=[{"kind": "unrolled"}], device="cuda")
    found = [(item.run.queue, item.position, item.reason) for item in queue_now().waiting]
    assert found == [
        ("cpu", 1, f"Next: begins as soon as a worker is free.{UNKNOWN}"),
        ("cpu", 2, f"1 run before it in the CPU queue.{UNKNOWN}"),
        ("gpu", 1, "No GPU worker is connected."),
    ]


def test_the_page_shows_workers_and_what_waits(django_assert_num_queries) -> None:
    ada = person("ada")
    launched(ada, seeds=list(range(5)))
    claimed(Run.objects.order_by("pk").first(), worker="cpu@host")
    pulse.report(name="cpu@host", queues=["cpu"], slots=2, machine=CPU)
    client = signed_in(ada)
    page = client.get("/queue/").content.decode()
    assert "cpu@host" in page
    assert "1 of 2" in page
    assert "8.0" in page
    assert page.count("runs before it in the CPU queue.") == 7
    # Session and user; workers, what runs, the line of both queues and who waits in it, forecasts,
    # the count; what admins did.
    with django_assert_num_queries(10):
        part = client.get("/queue/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert [len(card.runs) for card in queue_now().cards] == [1]


def test_an_empty_queue_says_so() -> None:
    client = signed_in(person("ada"))
    page = client.get("/queue/").content.decode()
    assert "No worker is connected" in page
    assert "Nothing waits" in page


def test_strangers_are_sent_to_the_sign_in_page() -> None:
    assert Client().get("/queue/").status_code == 302


def test_a_worker_with_room_wakes_itself() -> None:
    launched(person("ada"))
    pulse.report(name="cpu@host", queues=["cpu"], slots=2, machine=CPU)
    assert wake_if_free("cpu@host") == 2
    assert messages_waiting("cpu@host.dq2") == 2
    for run in Run.objects.all()[:2]:
        claimed(run, worker="cpu@host")
    assert wake_if_free("cpu@host") == 0, "its slots are taken"
    assert wake_if_free("unheard@of") == 0


@pytest.mark.django_db(transaction=True)
def test_a_lost_run_is_queued_and_woken() -> None:
    run = claimed(first_run(person("ada")))
    with app.connection_for_write() as connection:
        connection.default_channel.queue_purge("cpu")
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    heal()
    run.refresh_from_db()
    assert (run.status, messages_waiting("cpu")) == (Status.QUEUED, 1)


def test_a_machine_describes_itself() -> None:
    machine = pulse.look_at_machine(wants_gpu=False)
    assert "CPU cores" in machine.device
    assert machine.memory_bytes > 2**28
    assert not machine.has_gpu
