"""Where an axis has its labels, and what they say: the same on the page and on paper."""

from __future__ import annotations

import math
import sys

from webapp.exports.metrics import Unit
from webapp.exports.numbers import format_value

MOST_LABELS = 6
_LAST_DECADE = sys.float_info.max_10_exp - 1
"""A curve that diverges comes close to the largest float; no label may lie past it."""


def log_ticks(low: float, high: float) -> list[float]:
    """Round values that label about `low` … `high`, and a decade beyond on both sides.

    1, 2 and 5 in each decade where few enough of them are in sight, else whole decades, as many
    apart as it takes: then the outermost label may lie within. Both ends are positive.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = range(max(first - 1, -_LAST_DECADE), min(last + 1, _LAST_DECADE) + 1)
    for mantissas in ((1, 2, 5), (1,)):
        ticks = [mantissa * 10.0**decade for decade in decades for mantissa in mantissas]
        if sum(low / 1.5 <= tick <= high * 1.5 for tick in ticks) <= MOST_LABELS:
            return ticks
    apart = math.ceil((last - first) / (MOST_LABELS - 1))
    return [10.0**decade for decade in decades if decade % apart == 0]


def round_ticks(low: float, high: float) -> list[float]:
    """At most `MOST_LABELS` round values in `low` … `high`, evenly apart."""
    span = high - low
    decade = 10.0 ** math.floor(math.log10(span / MOST_LABELS))
    step = next(m * decade for m in (1, 2, 5, 10, 20) if span / (m * decade) <= MOST_LABELS - 1)
    return [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]


def tick_label(value: float, unit: Unit) -> str:
    """A round value without digits that say nothing: 0.05, 200 ms, 2 MB, 1e−6."""
    if unit:
        return format_value(value, unit)
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "−")
