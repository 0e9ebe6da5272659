"""What is too large is refused while it arrives, not once it is here."""

from __future__ import annotations

import asyncio

import pytest

from webapp.body_limit import limit_bodies

MOST = 100


class Reader:
    """An application that reads the whole body, and says how much it was."""

    read = 0

    async def __call__(self, scope, receive, send) -> None:
        more = True
        while more:
            message = await receive()
            self.read += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(self.read).encode()})


def asked(parts: list[bytes], said: bytes | None = None) -> tuple[int, int]:
    """The status for a body in `parts` of which the request says the length `said`, and how much
    of it the application has read."""
    reader, sent = Reader(), []
    left = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, start=1)
    ]
    headers = [] if said is None else [(b"content-length", said)]

    async def receive():
        return left.pop(0)

    async def send(message) -> None:
        sent.append(message)

    asyncio.run(limit_bodies(reader)({"type": "http", "headers": headers}, receive, send))
    return sent[0]["status"], reader.read


@pytest.fixture(autouse=True)
def small(settings) -> None:
    settings.MOST_BODY_BYTES = MOST


def test_what_fits_is_read() -> None:
    assert asked([b"a" * MOST], said=b"100") == (200, MOST)
    assert asked([b"a" * 60, b"a" * 40]) == (200, MOST)


@pytest.mark.parametrize("said", [b"101", b"9" * 400, b"-1", b"ten", "١".encode()])
def test_what_says_that_it_is_too_large_is_not_read_at_all(said: bytes) -> None:
    assert asked([b"a" * MOST], said=said) == (413, 0)


def test_what_turns_out_to_be_too_large_is_read_no_further() -> None:
    assert asked([b"a" * 60] * 1_000) == (413, 60)


def test_a_browser_gets_a_page() -> None:
    sent = []

    async def send(message) -> None:
        sent.append(message)

    headers = [(b"content-length", b"101"), (b"accept", b"text/html,*/*;q=0.8")]
    asyncio.run(limit_bodies(Reader())({"type": "http", "headers": headers}, None, send))
    assert sent[0]["status"] == 413
    assert b"Back to the home page" in sent[1]["body"]
    assert dict(sent[0]["headers"])[b"content-length"] == str(len(sent[1]["body"])).encode()
