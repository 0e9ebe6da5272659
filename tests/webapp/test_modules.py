"""The scripts of a page come with hints for all that they import."""

from __future__ import annotations

import re
from pathlib import Path

from django.template import Context, Template

from webapp.settings import base
from webapp.templatetags.modules import IMPORT, imported

SCRIPTS = sorted((Path(base.PROJECT_ROOT) / "static" / "js").glob("*.js"))


def test_a_script_comes_with_hints_for_what_is_imported_at_any_distance() -> None:
    html = Template('{% load modules %}{% module "js/run_page.js" %}').render(Context())
    hinted = re.findall(r'<link rel="modulepreload" href="/static/js/(\w+)\.js">', html)
    assert html.endswith('<script src="/static/js/run_page.js" type="module"></script>')
    # charts.js imports live_tail.js, live.js imports live_state.js.
    assert {"charts", "live_tail", "live", "live_state", "keyboard"} <= set(hinted)
    assert len(hinted) == len(set(hinted))
    assert "run_page" not in hinted


def test_every_import_is_found_and_is_there() -> None:
    assert SCRIPTS
    for script in SCRIPTS:
        written = re.findall(r"^import\b(?!\()", script.read_text(), re.MULTILINE)
        assert len(IMPORT.findall(script.read_text())) == len(written), script.name
        for name in imported(f"js/{script.name}"):
            assert (script.parent.parent / name).exists(), f"{script.name} imports {name}"
