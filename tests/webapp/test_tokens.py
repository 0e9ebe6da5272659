"""The colours of both themes are far enough apart to be read (WCAG 2.2, levels AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

TOKENS = (Path(settings.PROJECT_ROOT) / "static" / "css" / "tokens.css").read_text()
HEX = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6});")
TEXT = [
    (ink, ground)
    for ground in ("canvas", "surface", "sunken", "raised")
    for ink in ("ink", "ink-soft", "ink-muted", "accent", "good", "live", "caution", "bad")
] + [
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
    ("accent-strong", "accent-tint"),
    ("good", "good-tint"),
    ("live", "live-tint"),
    ("caution", "caution-tint"),
    ("bad", "bad-tint"),
    ("ink", "bad-tint"),
    ("ink", "caution-tint"),
]
EDGES = [("control-line", "surface"), ("focus", "canvas"), ("focus", "surface")]


def colours(theme: str) -> dict[str, str]:
    block = re.search(rf'data-theme="{theme}"\] \{{(.*?)\n\}}', TOKENS, re.S)
    assert block, theme
    return dict(HEX.findall(block[1]))


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast(theme: str) -> None:
    named = colours(theme)
    poor = {
        f"{ink} on {ground}": round(contrast(named[ink], named[ground]), 2)
        for ink, ground in TEXT
        if contrast(named[ink], named[ground]) < 4.5
    }
    assert poor == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_edges_of_controls_have_contrast(theme: str) -> None:
    named = colours(theme)
    poor = [pair for pair in EDGES if contrast(named[pair[0]], named[pair[1]]) < 3]
    assert poor == []


def test_both_themes_name_the_same_colours() -> None:
    assert set(colours("dark")) - {"run-6"} == set(colours("light"))
