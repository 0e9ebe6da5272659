"""Reading the values of a query: numbers with units, moments, ages, yes and no."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo

_SECONDS = {"": 1.0, "µs": 1e-6, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
UNITS: dict[str, dict[str, float]] = {
    "": {"": 1.0},
    "s": {**_SECONDS, "d": 86_400.0, "w": 604_800.0},
    "B": {"": 1.0, "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
          "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30},
    "%": {"": 1.0, "%": 0.01},
}  # fmt: skip
"""What may stand behind a number, by the unit of the field, and by what it multiplies."""

NONE = "none"
YES, NO = ("yes", "true"), ("no", "false")
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf|nan)\s*([a-zµ%]*)", re.I)
_LONGEST_AGE = 36_500 * 86_400.0


def number(text: str, unit: str = "") -> float | None:
    """`text` as a number in `unit`; None where it is none."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    factors = {suffix.lower(): factor for suffix, factor in UNITS[unit].items()}
    factor = factors.get(found[2].lower())
    return None if factor is None else float(found[1]) * factor


def age(text: str) -> timedelta | None:
    """`7d`, `12h` or `30min`; None where the unit is missing or the age is beyond a century."""
    seconds = number(text, "s")
    if seconds is None or text.strip()[-1:].isdigit() or not 0 <= seconds <= _LONGEST_AGE:
        return None
    return timedelta(seconds=seconds)


def moments(text: str, now: datetime, zone: tzinfo) -> tuple[datetime, datetime] | None:
    """First moment of `text` and the first one after it: a day, a minute or a second long.

    `text` is `today`, `yesterday`, `2026-11-24`, `2026-11-24T10:30` or `2026-11-24 10:30:05`, in
    `zone` unless it says its own.
    """
    today = now.astimezone(zone).date()
    days = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        day = days.get(text.lower()) or date.fromisoformat(text)
    except ValueError:
        return _moment(text, zone)
    return _from(datetime(day.year, day.month, day.day, tzinfo=zone), timedelta(days=1))


def _moment(text: str, zone: tzinfo) -> tuple[datetime, datetime] | None:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        return None
    has_seconds = text.count(":") > 1 and not start.tzinfo
    start = start if start.tzinfo else start.replace(tzinfo=zone)
    return _from(start, timedelta(seconds=1) if has_seconds else timedelta(minutes=1))


def _from(start: datetime, length: timedelta) -> tuple[datetime, datetime] | None:
    """The interval, unless it leaves the calendar that Postgres and Python share."""
    return (start, start + length) if 1900 <= start.year <= 2999 else None
