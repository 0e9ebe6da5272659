"""Links from fields and charts to the place in the help that explains them."""

from __future__ import annotations

from django import template

from webapp.help import charts, fields
from webapp.help.estimators import ACCOUNTS

register = template.Library()


@register.inclusion_tag("help/_link.html")
def field_help(place: str, label: str) -> dict[str, str]:
    """`{% field_help node.help_at node.label %}`: a small "?"; nothing for an unknown field."""
    known = place in fields.entries()
    return {"address": f"/help/fields#{place}" if known else "", "label": label}


@register.inclusion_tag("help/_kind.html")
def kind_help(place: str, about: str) -> dict[str, object]:
    """`{% kind_help node.help_at node.formula %}`: the formulas of a kind in a drawer, with what
    else its options say of it (`about`) and the way to its page; nothing where there is neither."""
    section = fields.kinds().get(place)
    formulas = section.formulas if section else ()
    kind = place.removeprefix("estimators.")
    return {"formulas": formulas, "about": about, "kind": kind if kind in ACCOUNTS else ""}


@register.inclusion_tag("help/_link.html")
def chart_help(metric: str, label: str) -> dict[str, str]:
    """`{% chart_help metric.name metric.title %}`: a small "?"; nothing for an unknown chart."""
    place = charts.place_of(metric or "")
    known = place in charts.entries()
    return {"address": f"/help/charts#{place}" if known else "", "label": label or ""}
