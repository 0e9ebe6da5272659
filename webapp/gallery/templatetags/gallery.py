"""What the gallery's templates need beside Django's own."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.utils.safestring import SafeString

from webapp.help.mathematics import mathml as formula

register = template.Library()


@register.filter
def mathml(latex: str) -> SafeString:
    """A page's formula as MathML."""
    return formula(latex)


@register.filter
def item(mapping: Mapping[str, str], name: str) -> str:
    """`mapping[name]`, "" where it is not there."""
    return mapping.get(name, "")
