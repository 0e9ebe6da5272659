"""What a run's series must be, bit for bit, and what was recorded of them."""

from __future__ import annotations

from typing import Any

import numpy as np

import engine
from engine.events import MEASURED_SERIES, Point
from engine.spec import validate

Series = dict[str, tuple[bytes, bytes]]
"""For each series that no clock has a part in: its outer steps and values as bytes."""


def computed(spec: dict[str, Any], points: int | None = None) -> Series:
    """As the engine gives them, without web, workers and interruptions; the first `points`."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for event in engine.run(validate(spec)):
        if isinstance(event, Point) and event.step == points:
            break
        for name, value in event.values.items() if isinstance(event, Point) else ():
            if name not in MEASURED_SERIES:
                steps, values = found.setdefault(name, ([], []))
                steps.append(event.step)
                values.append(value)
    return {
        name: (np.array(steps, "<i8").tobytes(), np.array(values, "<f8").tobytes())
        for name, (steps, values) in found.items()
    }


def recorded(run_id: int) -> Series:
    from webapp.runs.selectors import series

    return {
        name: (steps.astype("<i8").tobytes(), values.astype("<f8").tobytes())
        for name, (steps, values) in series([run_id]).get(run_id, {}).items()
        if name not in MEASURED_SERIES
    }


def doubled_or_missing(run_id: int) -> int:
    """Points of the stored chunks that no chunk of a series has, or that two of them have."""
    from webapp.runs.models import Run, SeriesChunk

    committed = Run.objects.get(pk=run_id).sequence
    covered: dict[str, list[int]] = {}
    for name, first, last in SeriesChunk.objects.filter(
        run_id=run_id, name="meta_loss"
    ).values_list("name", "first_sequence", "last_sequence"):
        covered.setdefault(name, []).extend(range(first, last + 1))
    return sum(
        len(set(range(1, committed + 1)) ^ set(points)) + len(points) - len(set(points))
        for points in covered.values()
    )
