"""Numbers, times and colours in templates, in the words that the figures use."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone

from webapp.exports.metrics import METRICS
from webapp.exports.numbers import format_seconds, format_value
from webapp.exports.palette import slot_of

register = template.Library()


@register.filter
def slot(colour: int) -> int:
    """`run.colour` as the number of the page's `--run-N` colour."""
    return slot_of(colour)


@register.filter
def metric(figures: dict[str, float | None], name: str) -> str:
    """`run.figures|metric:"meta_loss"`: the run's last value of a series, with its unit."""
    return format_value(figures.get(name), METRICS[name].unit)


@register.filter
def test_figure(figures: dict[str, float | None]) -> str:
    """What the run reaches on what neither loop has seen: its accuracy, or its loss."""
    return metric(figures, "test_accuracy" if "test_accuracy" in figures else "test_loss")


@register.filter
def in_unit(value: float | None, unit: str) -> str:
    """`value|in_unit:"B"`: three significant digits with the unit; "–" where there is no value."""
    return format_value(value, unit)


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as people say them; "–" where there are none."""
    return "–" if seconds is None else format_seconds(seconds)


@register.filter
def ago(moment: datetime | None) -> str:
    """ "12 s ago", "5 min ago", "3 h ago", then the date."""
    if moment is None:
        return "–"
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600} h ago"
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b %Y}"
