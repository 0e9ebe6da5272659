"""Every websocket × every action × everybody: one without a rule here fails."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator

from tests.webapp.factories import claimed, first_run, person, signed_in
from webapp.accounts.models import User
from webapp.accounts.services import sign_out_everywhere
from webapp.asgi import application
from webapp.live import consumer
from webapp.live.routing import websocket_urlpatterns
from webapp.runs.models import Run
from webapp.sharing.services import share

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = ("visitor", "link", "let out", "viewer", "member", "owner", "admin")
"""`link` is a visitor with a link to the run; `let out` is who an admin let out while signed in."""

SHUT, ERROR, TOLD = "shut", "error", "told"
LOOKS = (SHUT, SHUT, SHUT, TOLD, TOLD, TOLD, TOLD)
NOTHING_TO_SEE = (SHUT, SHUT, SHUT, ERROR, ERROR, ERROR, ERROR)
RULES: dict[str, dict[str, tuple[str, ...]]] = {
    "ws/runs/": {
        "subscribe": LOOKS,
        "subscribe to what is not there": NOTHING_TO_SEE,
        # It says nothing back, so the frame after it is answered.
        "unsubscribe": LOOKS,
    }
}
ORIGIN = b"http://testserver"


def test_every_websocket_and_every_action_has_a_rule() -> None:
    assert {str(entry.pattern) for entry in websocket_urlpatterns} == RULES.keys()
    actions = {name for name in RULES["ws/runs/"] if " " not in name}
    assert actions == set(consumer.ACTIONS)


@database_sync_to_async
def cookie_of(user: User) -> bytes:
    client = signed_in(user)
    return f"sessionid={client.cookies['sessionid'].value}".encode()


async def socket_of(who: str, run: Run, origin: bytes = ORIGIN) -> WebsocketCommunicator:
    headers, path = [(b"origin", origin), (b"host", b"testserver")], "/ws/runs/"
    role = {"viewer": User.Role.VIEWER, "admin": User.Role.ADMIN}.get(who, User.Role.MEMBER)
    owner = await sync_to_async(lambda: run.experiment.owner)()
    if who == "link":
        _, token = await sync_to_async(share)(owner=owner, runs=[run], days=1)
        headers.append((b"authorization", f"Bearer {token}".encode()))
        path += f"?token={token}"
    elif who == "owner":
        headers.append((b"cookie", await cookie_of(owner)))
    elif who != "visitor":
        user = await sync_to_async(person)(who.replace(" ", "-"), role=role)
        headers.append((b"cookie", await cookie_of(user)))
        if who == "let out":
            await User.objects.filter(pk=user.pk).aupdate(is_active=False)
    return WebsocketCommunicator(application, path, headers=headers)


async def met(socket: WebsocketCommunicator, action: str, run: Run) -> str:
    accepted, _ = await socket.connect(timeout=10)
    if not accepted:
        return SHUT
    if action == "unsubscribe":
        await socket.send_json_to({"unsubscribe": [run.pk]})
    there = run.pk + 1_000 if "not there" in action else run.pk
    await socket.send_json_to({"subscribe": {str(there): 0}})
    said = await socket.receive_json_from(timeout=10)
    await socket.disconnect()
    return ERROR if said["type"] == "error" else TOLD


@pytest.fixture
def run() -> Run:
    return claimed(first_run(person("oli")))


@pytest.mark.parametrize("action", RULES["ws/runs/"])
@pytest.mark.asyncio
async def test_everybody_meets_what_the_rule_says(action: str, run: Run) -> None:
    found = [await met(await socket_of(who, run), action, run) for who in PEOPLE]
    assert found == list(RULES["ws/runs/"][action])


@pytest.mark.parametrize(
    "origin", [b"http://evil.example", b"null", b"https://testserver.evil.example"]
)
@pytest.mark.asyncio
async def test_no_other_site_opens_a_websocket(origin: bytes, run: Run) -> None:
    assert await met(await socket_of("owner", run, origin), "subscribe", run) == SHUT


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["signed out everywhere", "another password"])
async def test_a_websocket_ends_with_its_session(how: str, run: Run, monkeypatch) -> None:
    monkeypatch.setattr(consumer, "HEARTBEAT_SECONDS", 0.05)
    socket = await socket_of("member", run)
    assert (await socket.connect(timeout=10))[0]
    await socket.send_json_to({"subscribe": {str(run.pk): 0}})
    user = await User.objects.aget(username="member")
    if how == "another password":
        user.set_password("x")
        await user.asave()
    else:
        await sync_to_async(sign_out_everywhere)(user=user)
    said = {"type": ""}
    while said["type"] != "websocket.close":
        said = await socket.receive_output(timeout=10)
    assert said["code"] == consumer.NOT_SIGNED_IN
