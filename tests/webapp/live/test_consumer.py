"""The websocket over a real channel layer and a real database."""

import asyncio
import json
import time

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import OperationalError

from tests.webapp.factories import claimed, first_run, launched, person, points, signed_in
from tests.webapp.live.follower import Follower
from webapp.asgi import application
from webapp.live import consumer, hints, shared
from webapp.runs import services
from webapp.runs.models import Run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def in_database(function, *arguments, **options):
    return await database_sync_to_async(function)(*arguments, **options)


@database_sync_to_async
def cookie_of(user) -> bytes:
    client = signed_in(user)
    return f"sessionid={client.cookies['sessionid'].value}".encode()


async def connected(user=None, origin: bytes = b"http://testserver"):
    headers = [(b"origin", origin), (b"host", b"testserver")]
    if user is not None:
        headers.append((b"cookie", await cookie_of(user)))
    socket = WebsocketCommunicator(application, "/ws/runs/", headers=headers)
    accepted, _ = await socket.connect(timeout=5)
    return socket, accepted


async def until(socket, follower: Follower, done, seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            follower.take(json.loads(await socket.receive_from(timeout=seconds)))


@pytest.fixture
def ada():
    return person("ada")


async def test_points_arrive_as_they_are_committed(ada) -> None:
    run = await in_database(lambda: claimed(first_run(ada)))
    await in_database(services.record_points, run_id=run.pk, attempt=1, points=points(1, 6))
    socket, _ = await connected(ada)
    follower = Follower()
    await socket.send_json_to({"subscribe": {str(run.pk): 0}})
    await until(socket, follower, lambda: follower.sequence == 6)

    delays = []
    for sequence in range(7, 21):
        await in_database(
            services.record_points, run_id=run.pk, attempt=1, points=points(sequence, sequence)
        )
        committed = time.perf_counter()
        await until(socket, follower, lambda: follower.sequence == sequence)  # noqa: B023
        delays.append(time.perf_counter() - committed)
    await in_database(services.finish, run_id=run.pk, attempt=1, status="finished")
    await until(socket, follower, lambda: follower.status == "finished")
    assert (follower.doubled, follower.gaps) == (0, 0)
    assert list(follower.entries["meta_loss"]) == list(range(20))
    print(
        f"\nhint to client: median {sorted(delays)[7] * 1e3:.1f} ms, max {max(delays) * 1e3:.1f} ms"
    )
    assert sorted(delays)[7] < 0.5, "by hints, not by the heartbeat"
    await socket.disconnect()


async def test_a_rewind_reaches_the_follower(ada) -> None:
    run = await in_database(lambda: claimed(first_run(ada)))
    await in_database(services.record_points, run_id=run.pk, attempt=1, points=points(1, 12))
    socket, _ = await connected(ada)
    follower = Follower()
    await socket.send_json_to({"subscribe": {str(run.pk): 0}})
    await until(socket, follower, lambda: follower.sequence == 12)
    await in_database(services.release, run_id=run.pk, attempt=1)
    await in_database(lambda: claimed(run, resume_from=5))
    await until(socket, follower, lambda: follower.sequence == 5)
    await in_database(
        services.record_points, run_id=run.pk, attempt=2, points=points(6, 9, offset=100)
    )
    await until(socket, follower, lambda: follower.sequence == 9)
    assert follower.entries["meta_loss"][8] == pytest.approx(100.8)
    assert follower.doubled == 0
    await socket.disconnect()


async def test_the_heartbeat_heals_a_lost_hint(ada, monkeypatch) -> None:
    monkeypatch.setattr(consumer, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(hints, "send", lambda run_id, sequence: None)
    run = await in_database(lambda: claimed(first_run(ada)))
    socket, _ = await connected(ada)
    follower = Follower()
    await socket.send_json_to({"subscribe": {str(run.pk): 0}})
    await until(socket, follower, lambda: follower.status == "running")
    await in_database(services.record_points, run_id=run.pk, attempt=1, points=points(1, 3))
    await until(socket, follower, lambda: follower.sequence == 3)
    await socket.disconnect()


async def test_a_database_that_was_away_is_asked_again(ada, monkeypatch) -> None:
    monkeypatch.setattr(consumer, "HEARTBEAT_SECONDS", 0.2)
    run = await in_database(lambda: claimed(first_run(ada)))
    real, failures = shared.news, []

    def unreliable(*arguments):
        if len(failures) < 2:
            failures.append(1)
            raise OperationalError("server closed the connection unexpectedly")
        return real(*arguments)

    monkeypatch.setattr(shared, "news", unreliable)
    socket, _ = await connected(ada)
    follower = Follower()
    await socket.send_json_to({"subscribe": {str(run.pk): 0}})
    await until(socket, follower, lambda: follower.status == "running")
    assert len(failures) == 2
    await socket.disconnect()


async def test_followers_at_the_same_point_share_a_read(ada, monkeypatch) -> None:
    run = await in_database(lambda: claimed(first_run(ada)))
    sockets = [(await connected(ada))[0] for _ in range(8)]
    followers = [Follower() for _ in sockets]
    for socket in sockets:
        await socket.send_json_to({"subscribe": {str(run.pk): 0}})
    for socket, follower in zip(sockets, followers, strict=True):
        await until(socket, follower, lambda: follower.status == "running")  # noqa: B023
    real, reads = shared.news, []
    monkeypatch.setattr(shared, "news", lambda *asked: reads.append(1) or real(*asked))
    for sequence in range(1, 6):
        await in_database(
            services.record_points, run_id=run.pk, attempt=1, points=points(sequence, sequence)
        )
        for socket, follower in zip(sockets, followers, strict=True):
            await until(socket, follower, lambda: follower.sequence == sequence)  # noqa: B023
    assert all((each.gaps, each.doubled) == (0, 0) for each in followers)
    assert 5 <= len(reads) <= 20, "far fewer than the forty of followers that each read for itself"
    for socket in sockets:
        await socket.disconnect()


async def test_strangers_and_other_sites_do_not_connect(ada) -> None:
    assert not (await connected())[1]
    assert not (await connected(ada, origin=b"https://elsewhere.example"))[1]


async def test_a_run_that_is_subscribed_during_a_heartbeat_is_kept(ada, monkeypatch) -> None:
    """On a busy lab the check of a heartbeat takes long; it says nothing of what came meanwhile."""
    monkeypatch.setattr(consumer, "HEARTBEAT_SECONDS", 0.05)
    real, begun = consumer.RunsConsumer._still_allowed, asyncio.Event()

    async def slow(self, run_ids):
        begun.set()
        answer = await real(self, run_ids)
        await asyncio.sleep(0.5)
        return answer

    monkeypatch.setattr(consumer.RunsConsumer, "_still_allowed", slow)
    run = await in_database(lambda: claimed(first_run(ada)))
    socket, _ = await connected(ada)
    await asyncio.wait_for(begun.wait(), 5)
    await socket.send_json_to({"subscribe": {str(run.pk): 0}})
    said = [await socket.receive_json_from(timeout=5) for _ in range(4)]
    assert {message["type"] for message in said} == {"state", "heartbeat"}
    await socket.disconnect()


async def test_who_signs_out_is_disconnected(ada, monkeypatch) -> None:
    monkeypatch.setattr(consumer, "HEARTBEAT_SECONDS", 0.1)
    socket, _ = await connected(ada)
    ada.is_active = False
    await in_database(ada.save)
    async with asyncio.timeout(5):
        while (sent := await socket.receive_output())["type"] != "websocket.close":
            pass
    assert sent["code"] == consumer.NOT_SIGNED_IN


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ("{", "not JSON"),
        ("[" * 50_000, "not JSON"),
        ("7", "a frame is an object"),
        ("{}", "a frame is an object"),
        ('{"publish": {}}', "a frame is an object"),
        ('{"subscribe": [1]}', '"subscribe" is an object'),
        ('{"subscribe": {"x": 0}}', "'x' is not the id of a run"),
        ('{"subscribe": {"1": -1}}', "run 1: the sequence"),
        ('{"subscribe": {"1": true}}', "run 1: the sequence"),
        ('{"subscribe": {"1": {"sequence": 1e400}}}', "run 1: the sequence"),
        ('{"subscribe": {"999999999": 0}}', "There is no run 999999999."),
        ('{"unsubscribe": "1"}', '"unsubscribe" a list'),
        ('"' + "x" * 70_000 + '"', "at most 64 KB"),
    ],
)
async def test_malformed_frames_are_answered(ada, frame: str, complaint: str) -> None:
    socket, _ = await connected(ada)
    await socket.send_to(text_data=frame)
    answer = await socket.receive_json_from(timeout=5)
    assert answer["type"] == "error"
    assert complaint in answer["message"]
    await socket.send_to(bytes_data=b"\x00")
    assert "binary" in (await socket.receive_json_from(timeout=5))["message"]
    await socket.disconnect()


async def test_a_connection_follows_a_bounded_number_of_runs(ada) -> None:
    experiment = await in_database(launched, ada, seeds=list(range(31)))
    ids = await in_database(lambda: list(experiment.runs.values_list("pk", flat=True)))
    socket, _ = await connected(ada)
    await socket.send_json_to({"subscribe": {str(run_id): 0 for run_id in ids}})
    refused, told = set(), set()
    async with asyncio.timeout(10):
        while len(refused) + len(told) < 62:
            message = await socket.receive_json_from(timeout=5)
            (refused if message["type"] == "error" else told).add(message["run"])
    assert (len(told), len(refused)) == (60, 2)
    await socket.send_json_to({"unsubscribe": [min(told)]})
    await socket.send_json_to({"subscribe": {str(min(refused)): 0}})
    assert (await socket.receive_json_from(timeout=5))["run"] == min(refused)
    await socket.disconnect()


async def test_a_deleted_run_is_said_to_be_gone(ada) -> None:
    run = await in_database(first_run, ada)
    socket, _ = await connected(ada)
    await socket.send_json_to({"subscribe": {str(run.pk): 0}})
    assert (await socket.receive_json_from(timeout=5))["status"] == "queued"
    run = await in_database(Run.objects.select_related("experiment__owner").get, pk=run.pk)
    await in_database(services.delete, user=ada, run=run)
    answer = await socket.receive_json_from(timeout=5)
    assert answer["message"] == f"There is no run {run.pk} any more."
    await socket.disconnect()
