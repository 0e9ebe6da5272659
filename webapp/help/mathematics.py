"""Formulas as browsers draw them: MathML, from the LaTeX that people write."""

from __future__ import annotations

from functools import cache

from django.utils.safestring import SafeString, mark_safe
from latex2mathml.converter import convert


@cache
def mathml(latex: str) -> SafeString:
    """`latex` as a block of MathML. It comes from our own tables only, never from a person.

    A browser without MathML, and a reader's screen reader that has none, get the source.
    """
    block = convert(latex, display="block")
    named = block.replace("<math ", f'<math alttext="{_attribute(latex)}" ', 1)
    return mark_safe(named)  # noqa: S308  # nosec B308 B703


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
