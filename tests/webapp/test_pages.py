"""What holds for every page: no inline script, vendored files as they were released."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client

from tests.webapp.factories import launched, person

VENDOR = Path(settings.PROJECT_ROOT) / "static" / "vendor"


class _Scripts(HTMLParser):
    """Collects what a Content-Security-Policy without inline script would block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.blocked.append("<script> without src")
        self.blocked += [f"{tag} {name}" for name in values if name.startswith(("on", "hx-on"))]
        self.blocked += [
            f"{tag} {v}" for v in values.values() if (v or "").startswith("javascript:")
        ]


def blocked_in(html: str) -> list[str]:
    parser = _Scripts()
    parser.feed(html)
    return parser.blocked


@pytest.mark.django_db
def test_no_page_has_inline_script(client: Client) -> None:
    ada = person("ada")
    client.force_login(ada)
    experiment = launched(ada)
    run, other, *_ = experiment.runs.all()
    paths = [
        "/",
        "/home/running",
        "/experiments/new",
        f"/experiments/new?clone={run.pk}",
        f"/experiments/{experiment.pk}/",
        "/runs/",
        f"/runs/{run.pk}/",
        f"/runs/{run.pk}/events/",
        f"/runs/rows/?runs={run.pk}",
        "/compare",
        f"/compare?runs={run.pk},{other.pk}",
        f"/compare/summary?runs={run.pk},{other.pk}",
        "/queue/",
        "/graph-size/",
        "/search?q=window",
        "/help/",
        "/help/fields",
        "/help/charts",
        "/help/estimators",
        "/help/queries",
        "/help/estimators/implicit",
        "/account/",
    ]
    for path in paths:
        response = client.get(path, follow=True)
        assert response.status_code == 200, path
        assert blocked_in(response.content.decode()) == [], path


@pytest.mark.parametrize("code", [400, 403, 404, 500])
def test_error_pages_render_without_a_request(code: int) -> None:
    page = render_to_string(f"{code}.html")
    assert blocked_in(page) == []
    assert f">{code}<" in page


def test_vendored_files_are_what_the_manifest_says() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    folders = {path.name for path in VENDOR.iterdir() if path.is_dir()}
    assert folders == set(manifest)
    for name, entry in manifest.items():
        files = {path.name for path in (VENDOR / name).iterdir()}
        assert files == set(entry["files"]), name
        assert "LICENSE" in files, name
        assert entry["licence"], name
        assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]), name
        for file, digest in entry["files"].items():
            found = hashlib.sha256((VENDOR / name / file).read_bytes()).hexdigest()
            assert found == digest, f"{name}/{file} is not the released file"


def test_icons_that_templates_use_are_in_the_sprite() -> None:
    sprite = (VENDOR / "lucide" / "icons.svg").read_text()
    templates = Path(settings.PROJECT_ROOT) / "templates"
    text = "".join(path.read_text() for path in templates.rglob("*.html"))
    used = set(re.findall(r'components/icon\.html" with name="([a-z0-9-]+)"', text))
    assert used
    assert {name for name in used if f'id="{name}"' not in sprite} == set()
