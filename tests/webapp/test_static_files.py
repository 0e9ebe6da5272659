"""Static files: small, kept for ever once they are collected, and apart from what pages pass."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import brotli
import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.management import call_command

from webapp.asgi import application
from webapp.settings import base
from webapp.static_files import StaticFiles

pytestmark = pytest.mark.asyncio

STATIC = Path(base.PROJECT_ROOT) / "static"
STYLE = "/static/css/components.css"


async def answer(
    path: str, server=application, method: str = "GET", **asked: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and content; `accept_encoding="br"` is a header that was sent."""
    headers = [
        (name.replace("_", "-").encode(), value.encode())
        for name, value in ({"host": "localhost"} | asked).items()
    ]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": headers,
    }
    communicator = ApplicationCommunicator(server, scope)
    await communicator.send_input({"type": "http.request", "body": b""})
    start = await communicator.receive_output(5)
    body = await communicator.receive_output(5)
    said = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return start["status"], said, body.get("body", b"")


async def test_a_text_comes_in_brotli_to_whoever_reads_it() -> None:
    written = (STATIC / "css/components.css").read_bytes()
    status, headers, plain = await answer(STYLE)
    assert (status, headers["content-type"]) == (200, 'text/css; charset="utf-8"')
    assert plain == written
    assert "content-encoding" not in headers
    status, headers, small = await answer(STYLE, accept_encoding="gzip, deflate, br")
    assert (status, headers["content-encoding"]) == (200, "br")
    assert int(headers["content-length"]) == len(small) < len(written) / 3
    assert brotli.decompress(small) == written
    assert headers["vary"] == "Accept-Encoding"


async def test_what_is_small_already_is_left_as_it_is() -> None:
    _, headers, font = await answer("/static/fonts/inter-latin.woff2", accept_encoding="br")
    assert "content-encoding" not in headers
    assert font == (STATIC / "fonts/inter-latin.woff2").read_bytes()


async def test_headers_say_what_a_file_needs_and_no_more() -> None:
    _, headers, _ = await answer(STYLE)
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert sum(len(name) + len(value) + 4 for name, value in headers.items()) < 450


async def test_an_unchanged_file_is_not_sent_again_and_nothing_is_changed() -> None:
    _, headers, _ = await answer(STYLE)
    again = await answer(STYLE, if_none_match=headers["etag"], accept_encoding="br")
    assert (again[0], again[2]) == (304, b"")
    asked_only = await answer(STYLE, method="HEAD")
    assert (asked_only[0], asked_only[2]) == (200, b"")
    assert (await answer(STYLE, method="POST"))[0] == 405


@pytest.mark.parametrize(
    "path", ["/static/../manage.py", "/static/css/../../manage.py", "/static//etc/passwd"]
)
@pytest.mark.django_db(transaction=True)
async def test_nothing_beside_the_static_files_is_served(path: str) -> None:
    status, _, content = await answer(path)
    assert status != 200
    assert b"django" not in content


async def test_an_edited_file_is_there_at_once_where_nothing_is_collected(
    tmp_path: Path, settings
) -> None:
    settings.STATICFILES_DIRS = [tmp_path]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.WHITENOISE_AUTOREFRESH = True
    server = StaticFiles(application)
    for text in (b"body { color: red }\n", b"body { color: blue }\n"):
        (tmp_path / "look.css").write_bytes(text)
        _, _, content = await answer("/static/look.css", server, accept_encoding="br")
        assert brotli.decompress(content) == text


async def test_collected_files_are_kept_for_ever_and_import_each_other_under_such_names(
    tmp_path: Path, settings
) -> None:
    """As on a server: `webapp.settings.production` names this storage."""
    written, collected = tmp_path / "written", tmp_path / "collected"
    shutil.copytree(STATIC / "js", written / "js")
    settings.STATIC_ROOT = collected
    settings.STORAGES = base.storages("webapp.static_storage.StaticStorage")
    settings.WHITENOISE_USE_FINDERS = False
    settings.STATICFILES_DIRS = [written]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    call_command("collectstatic", interactive=False, verbosity=0)
    server = StaticFiles(application)
    seen, left = set(), [next(collected.glob("js/run_page.????????????.js")).name]
    while left:
        name = left.pop()
        seen.add(name)
        status, headers, content = await answer(
            f"/static/js/{name}", server, accept_encoding="gzip, br"
        )
        assert (status, headers.get("content-encoding")) == (200, "br"), name
        assert "immutable" in headers["cache-control"], name
        imports = re.findall(r'(?:from|import) ?"\./([^"]+)"', brotli.decompress(content).decode())
        left += set(imports) - seen
    assert {"charts", "keyboard", "live_state"} <= {name.split(".")[0] for name in seen}
