"""Memory bars: what a run needs of a worker's memory, part by part."""

from __future__ import annotations

from dataclasses import dataclass

from engine.forecast import EstimatorForecast
from engine.forecast.fit import Fit
from webapp.exports.numbers import format_value

SMALLEST_SHARE = 0.004
"""Of a bar: what is smaller could not be seen, nor pointed at."""
WORDS = {
    "resident": "data, θ and outer optimizer",
    "probe": "a probe: oracle and repeated draws",
}


@dataclass(frozen=True)
class Segment:
    """A named part of a memory bar, in per cent of its width."""

    name: str
    size: str
    start: float
    width: float


@dataclass(frozen=True)
class Bar:
    """What a run needs of one worker's memory, or of the spec's budget."""

    machine: str
    verdict: str
    words: str
    segments: list[Segment]
    limit: float | None
    """Where the memory ends, in per cent; nothing where the bar ends there itself."""


def bar_of(forecast: EstimatorForecast, fit: Fit, machine: str) -> Bar:
    of_budget = fit.limit == "budget"
    parts = _named(forecast.parts) if of_budget else parts_of(forecast)
    over = fit.needed_bytes > fit.limit_bytes
    return Bar(
        machine="the budget of the spec" if of_budget else machine,
        verdict=fit.verdict,
        words=f"{_bytes(fit.needed_bytes)} of {_bytes(fit.limit_bytes)}",
        segments=_segments(parts, max(fit.limit_bytes, fit.needed_bytes)),
        limit=round(100.0 * fit.limit_bytes / fit.needed_bytes, 2) if over else None,
    )


def parts_of(forecast: EstimatorForecast) -> list[tuple[str, int]]:
    """What is there at the run's largest moment, the largest part first."""
    probing = forecast.probe_bytes > forecast.peak_bytes
    moment = {"probe": forecast.probe_bytes} if probing else forecast.parts
    return _named({"resident": forecast.resident_bytes, **moment})


def _named(parts: dict[str, int]) -> list[tuple[str, int]]:
    named = [(WORDS.get(name, name.replace("_", " ")), size) for name, size in parts.items()]
    return sorted((part for part in named if part[1] > 0), key=lambda part: -part[1])


def _segments(parts: list[tuple[str, int]], whole: float) -> list[Segment]:
    found, start = [], 0.0
    for name, size in parts:
        width = min(100.0 * max(size / whole, SMALLEST_SHARE), 100.0 - start)
        found.append(Segment(name, _bytes(size), round(start, 2), round(width, 2)))
        start += width
    return found


def _bytes(size: float) -> str:
    return format_value(float(size), "B")
