"""`{% module "js/run_page.js" %}`: a script of a page, with a hint for each that it imports, so
that a browser asks for all of them at once, and not for one import after the other."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

IMPORT = re.compile(r'^import (?:.* from )?"(\.[^"]+)";$', re.MULTILINE)


@register.simple_tag
def module(name: str) -> SafeString:
    """The script `name` of the static files as an ES module."""
    hints = format_html_join(
        "", '<link rel="modulepreload" href="{}">', ((static(each),) for each in imported(name))
    )
    return hints + format_html('<script src="{}" type="module"></script>', static(name))


@cache
def imported(name: str) -> tuple[str, ...]:
    """All that the module `name` imports, directly or not."""
    found: list[str] = []
    left = [name]
    while left:
        reader = left.pop()
        text = Path(finders.find(reader)).read_text()
        named = [normpath(f"{dirname(reader)}/{each}") for each in IMPORT.findall(text)]
        new = [each for each in dict.fromkeys(named) if each not in found and each != name]
        found += new
        left += new
    return tuple(found)
