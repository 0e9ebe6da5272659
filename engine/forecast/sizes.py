"""How the sizes of an estimator's work shrink to what is traced, and how the traces grow back.

Bytes at one place of an estimator's code, and work, are multilinear in these sizes: an inner loop
of twice the steps, twice the chunks of particles, twice the iterations. Two values of each size,
low and high, tell the lines; a size that is small in fact stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from engine.forecast.meter import Place, Reached
from engine.forecast.records import Work
from engine.forecast.tracing import Trace

Values = dict[str, float]


@dataclass(frozen=True)
class Size:
    """A size of the estimator's work, with the two at which it is traced."""

    actual: float
    low: int
    high: int

    @property
    def traced(self) -> tuple[int, ...]:
        """Itself where it is no larger than what would be traced."""
        small = self.actual <= self.high and self.actual == int(self.actual)
        return (int(self.actual),) if small else (self.low, self.high)

    def weights(self) -> tuple[float, ...]:
        """Of what was found at the traced sizes, to give what is at the actual one."""
        if len(self.traced) == 1:
            return (1.0,)
        share = (self.actual - self.low) / (self.high - self.low)
        return 1.0 - share, share


def variants(sizes: Mapping[str, Size]) -> list[dict[str, int]]:
    """Every combination of traced sizes, by name."""
    return [
        dict(zip(sizes, values, strict=True))
        for values in product(*(size.traced for size in sizes.values()))
    ]


def grown(sizes: Mapping[str, Size], traces: list[Trace]) -> tuple[Reached, Work, int]:
    """The peak with its parts, the work, and what is kept, at the actual sizes; `traces` are
    those of `variants`, in order."""
    weights = [prod(values) for values in product(*(s.weights() for s in sizes.values()))]
    shared = set.intersection(*(set(trace.places) for trace in traces))
    reached = [_at(place, weights, traces) for place in shared]
    peak = max(reached, key=lambda found: found.bytes, default=Reached(0))
    work = Work()
    for weight, trace in zip(weights, traces, strict=True):
        work = work + trace.work * weight
    kept = sum(weight * trace.kept for weight, trace in zip(weights, traces, strict=True))
    return peak, work, max(0, round(kept))


def with_part(reached: Reached, part: str, size: int) -> Reached:
    """What is reached with so many bytes more for `part`."""
    if not size:
        return reached
    parts = {**reached.parts, part: reached.parts.get(part, 0) + size}
    return Reached(reached.bytes + size, parts)


def _at(place: Place, weights: list[float], traces: list[Trace]) -> Reached:
    parts: dict[str, float] = {}
    for weight, trace in zip(weights, traces, strict=True):
        for part, size in trace.places[place].parts.items():
            parts[part] = parts.get(part, 0.0) + weight * size
    whole = {part: max(0, round(size)) for part, size in parts.items() if round(size) > 0}
    return Reached(sum(whole.values()), whole)
