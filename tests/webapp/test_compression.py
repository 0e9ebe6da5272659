"""Pages are small over the network, and what never changes is asked for once."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from django.core.management import call_command
from django.test import AsyncClient, Client
from whitenoise.middleware import WhiteNoiseMiddleware

from webapp.settings import base

COMPRESSED = {"Accept-Encoding": "gzip, br"}
MOST_OF_THE_FRAME = 120_000
"""Bytes that every page loads; a page without charts has at most 150,000."""


@pytest.mark.django_db
def test_pages_and_their_files_are_compressed_where_nothing_is_collected(client: Client) -> None:
    page = client.get("/sign-in/", headers=COMPRESSED)
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"Meta-optimization lab" in gzip.decompress(page.content)
    plain = client.get("/static/css/components.css")
    assert "Content-Encoding" not in plain.headers
    small = client.get("/static/css/components.css", headers=COMPRESSED)
    assert small.headers["Content-Encoding"] == "gzip"
    whole = b"".join(plain.streaming_content)
    sent = b"".join(small.streaming_content)
    assert gzip.decompress(sent) == whole
    assert len(sent) < len(whole) / 3


@pytest.mark.asyncio
async def test_files_are_compressed_in_the_way_that_the_server_asks_for_them() -> None:
    answer = await AsyncClient().get("/static/css/components.css", headers=COMPRESSED)
    assert answer.headers["Content-Encoding"] == "gzip"


def test_collected_files_come_in_brotli_and_are_kept_for_ever(tmp_path: Path, settings) -> None:
    """As on a server: `webapp.settings.production` names this storage."""
    written, collected = tmp_path / "static", tmp_path / "collected"
    written.mkdir()
    (written / "look.css").write_text("body { color: red }\n" * 200)
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [written], collected
    settings.STORAGES = base.storages("whitenoise.storage.CompressedManifestStaticFilesStorage")
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.WHITENOISE_USE_FINDERS = False
    call_command("collectstatic", interactive=False, verbosity=0)
    (name,) = [path.name for path in collected.glob("look.*.css")]
    served = WhiteNoiseMiddleware(lambda request: None)
    static_file = served.files[f"/static/{name}"]
    answer = static_file.get_response("GET", {"HTTP_ACCEPT_ENCODING": "gzip, br"})
    headers = dict(answer.headers)
    assert headers["Content-Encoding"] == "br"
    assert "immutable" in headers["Cache-Control"]
    assert brotli.decompress(answer.file.read()).startswith(b"body")


def test_what_every_page_loads_is_small() -> None:
    static = Path(base.PROJECT_ROOT) / "static"
    frame = (Path(base.PROJECT_ROOT) / "templates/base.html").read_text()
    files = {static / name for name in re.findall(r"{% static '([^']+)' %}", frame)}
    files |= {static / "vendor/lucide/icons.svg"}
    looked_into: set[Path] = set()
    while left := files - looked_into:
        for file in left:
            looked_into.add(file)
            if file.suffix in (".js", ".css"):
                text = file.read_text()
                named = re.findall(r'(?:from|import) "(\.[^"]+)"', text)
                named += re.findall(r'url\("(?!data:)([^"]+)"\)', text)
                files |= {(file.parent / name).resolve() for name in named}
    sizes = {
        file.name: len(content if file.suffix == ".woff2" else gzip.compress(content))
        for file in files
        for content in [file.read_bytes()]
    }
    assert {"inter-latin.woff2", "pico.min.css", "htmx.min.js", "keyboard.js"} <= sizes.keys()
    assert sum(sizes.values()) < MOST_OF_THE_FRAME, sizes
