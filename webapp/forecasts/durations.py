"""Durations as a forecast says them: to two digits, with the ends of their interval."""

from __future__ import annotations

from webapp.exports.numbers import format_seconds
from webapp.forecasts.remaining import Seconds


def interval(seconds: Seconds) -> str:
    """`3.4 s (2.1 s – 5.5 s)`."""
    ends = f"{rounded(seconds.low)} – {rounded(seconds.high)}"
    return f"{rounded(seconds.expected)} ({ends})"


def rounded(seconds: float) -> str:
    """A duration to the two digits that a forecast has: `3.4 s`, `6 min`, `2 h 10 min`."""
    if seconds < 100:
        return format_seconds(float(f"{seconds:.2g}"))
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    if seconds < 172_800:
        hours, minutes = divmod(round(seconds / 600) * 10, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(seconds / 86_400)} days"
