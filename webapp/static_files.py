"""Static files, straight from the server's loop. Through the middleware of pages each would take
several times the work, and headers that say nothing of a font."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus

import brotli
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from webapp.body_limit import Application, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
TEXTS = ("text/", "image/svg+xml")
QUALITY = 9
"""Of brotli, from 0 to 11: the last two are ten times as slow."""
MOST_COMPRESSED = 256
"""Files that are kept as they were compressed."""


class StaticFiles(WhiteNoiseMiddleware):
    """Answers what is asked of static files; all else goes to `application`.

    What `collectstatic` has gathered is compressed there, and kept by browsers for ever. Where
    nothing is collected a file is read where it is written, and compressed when somebody first
    asks for it.
    """

    def __init__(self, application: Application) -> None:
        super().__init__()
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self._found(scope["path"])
        if file is None:
            await self.application(scope, receive, send)
            return
        asked = {
            f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
            for name, value in scope["headers"]
        }
        answer = file.get_response(scope["method"], asked)
        headers, content = {**dict(answer.headers), **HEADERS}, b""
        if answer.file is not None:
            with answer.file:
                content = answer.file.read()
        if content and answer.status == HTTPStatus.OK and "Content-Encoding" not in headers:
            headers, content = _in_brotli(headers, content, asked.get("HTTP_ACCEPT_ENCODING", ""))
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send(
            {"type": "http.response.start", "status": int(answer.status), "headers": encoded}
        )
        await send({"type": "http.response.body", "body": content})

    def _found(self, path: str) -> StaticFile | None:
        if not path.startswith(self.static_prefix):
            return None
        return self.find_file(path) if self.autorefresh else self.files.get(path)


def _in_brotli(
    headers: dict[str, str], content: bytes, accepted: str
) -> tuple[dict[str, str], bytes]:
    """A text in brotli for whoever reads that; anything else as it is."""
    if not headers["Content-Type"].startswith(TEXTS):
        return headers, content
    headers = {**headers, "Vary": "Accept-Encoding"}
    if "br" not in accepted:
        return headers, content
    content = _compressed(content)
    return {**headers, "Content-Encoding": "br", "Content-Length": str(len(content))}, content


@lru_cache(MOST_COMPRESSED)
def _compressed(content: bytes) -> bytes:
    return brotli.compress(content, quality=QUALITY)
