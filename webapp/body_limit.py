"""No request brings more than the lab reads: the rest is refused before it fills memory or disk.

Django bounds what it parses; what a server has received by then lies in a temporary file.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from webapp.security import CONTENT_SECURITY_POLICY

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REFUSAL = b"The request is too large.\n"


class TooLarge(Exception):
    """A body grew past the limit while it was received."""


def limit_bodies(application: Application) -> Application:
    """`application` behind a door of `MOST_BODY_BYTES`: 413 for what says or turns out to be more.

    The connection is closed then, so that nobody goes on to send.
    """

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        most = settings.MOST_BODY_BYTES
        said = dict(scope["headers"]).get(b"content-length", b"0")
        if not said.isdigit() or len(said) > 18 or int(said) > most:
            await _refuse(scope, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise TooLarge
            return message

        try:
            await application(scope, counted, send)
        except TooLarge:
            await _refuse(scope, send)

    return limited


async def _refuse(scope: Scope, send: Send) -> None:
    """A page for a browser, a line for a script."""
    wants_page = b"text/html" in dict(scope["headers"]).get(b"accept", b"")
    kind, policy, body = (
        (b"text/html", CONTENT_SECURITY_POLICY.encode(), render_to_string("413.html").encode())
        if wants_page
        else (b"text/plain", b"default-src 'none'; frame-ancestors 'none'", REFUSAL)
    )
    headers = [
        (b"content-type", kind + b"; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", policy),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
