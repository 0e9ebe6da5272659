"""Pages are small over the network."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from django.test import Client

from webapp.settings import base
from webapp.static_files import QUALITY
from webapp.templatetags.modules import imported

MOST_OF_THE_FRAME = 110_000
"""Bytes that every page loads; a page without charts has at most 150,000."""


@pytest.mark.django_db
def test_pages_are_compressed(client: Client) -> None:
    page = client.get("/sign-in/", headers={"Accept-Encoding": "gzip, br"})
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"Meta-optimization lab" in gzip.decompress(page.content)


def test_what_every_page_loads_is_small() -> None:
    static = Path(base.PROJECT_ROOT) / "static"
    frame = (Path(base.PROJECT_ROOT) / "templates/base.html").read_text()
    files = {static / name for name in re.findall(r"{% static '([^']+)' %}", frame)}
    modules = re.findall(r'{% module "([^"]+)" %}', frame)
    files |= {static / name for module in modules for name in (module, *imported(module))}
    files |= {static / "vendor/lucide/icons.svg"}
    for style in [file for file in files if file.suffix == ".css"]:
        named = re.findall(r'url\("(?!data:)([^"]+)"\)', style.read_text())
        files |= {(style.parent / name).resolve() for name in named}
    sizes = {
        file.name: len(
            content if file.suffix == ".woff2" else brotli.compress(content, quality=QUALITY)
        )
        for file in files
        for content in [file.read_bytes()]
    }
    assert {"inter-latin.woff2", "pico.min.css", "htmx.min.js", "keyboard.js"} <= sizes.keys()
    assert sum(sizes.values()) < MOST_OF_THE_FRAME, sizes
