"""How the sizes of an estimator's work shrink to what is traced, and how the traces grow back.

Bytes at one place of an estimator's code, and work, are multilinear in these sizes: an inner loop
of twice the steps, twice the chunks of particles, twice the iterations. Two values of each size,
low and high, tell the lines; a size that is small in fact stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from engine.forecast.meter import Reached
from engine.forecast.records import Work
from engine.forecast.tracing import Trace


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


class Lines:
    """What traces at several sizes say of all others.

    Bytes of a part at a place, and work, are read off their lines; a place that not all of the
    traces reached has none.
    """

    def __init__(self, traces: Sequence[Trace]) -> None:
        shared = [p for p in traces[0].places if all(p in trace.places for trace in traces)]
        names = {part for trace in traces for place in shared for part in trace.places[place].parts}
        self._parts = sorted(names)
        # Traces × places × parts.
        self._bytes = np.array(
            [
                [
                    [trace.places[place].parts.get(part, 0) for part in self._parts]
                    for place in shared
                ]
                for trace in traces
            ],
            dtype=np.float64,
        )
        self._figures = np.array([trace.work.figures for trace in traces])
        self._kept = np.array([trace.kept for trace in traces])

    def at(self, sizes: Mapping[str, Size]) -> tuple[Reached, Work, int]:
        """The peak with its parts, the work, and what is kept, at the actual `sizes`; the traces
        are those of `variants(sizes)`, in order."""
        weights = np.array(
            [prod(values) for values in product(*(s.weights() for s in sizes.values()))]
        )
        work = Work.of(weights @ self._figures)
        kept = max(0, round(float(weights @ self._kept)))
        grown = np.maximum(0.0, np.rint(np.tensordot(weights, self._bytes, 1)))
        if not grown.size:
            return Reached(0), work, kept
        peak = grown[grown.sum(1).argmax()]
        parts = {name: int(size) for name, size in zip(self._parts, peak, strict=True) if size}
        return Reached(sum(parts.values()), parts), work, kept


def with_part(reached: Reached, part: str, size: int) -> Reached:
    """What is reached with so many bytes more for `part`."""
    if not size:
        return reached
    parts = {**reached.parts, part: reached.parts.get(part, 0) + size}
    return Reached(reached.bytes + size, parts)
