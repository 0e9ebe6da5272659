"""Points as chunks of bytes: written a flush at a time, trimmed on a rewind, packed at the end."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from django.db.models import Min

from engine.events import Point
from webapp.runs.models import SeriesChunk

STEPS = np.dtype("<i8")
VALUES = np.dtype("<f8")
PACKED_POINTS = 10_000
"""Points in one chunk of a run that has ended."""

Arrays = tuple[np.ndarray, np.ndarray]
"""Outer steps (int64) and values (float64) of one series, of equal length."""


def decode(chunk: SeriesChunk) -> Arrays:
    return np.frombuffer(chunk.steps, STEPS), np.frombuffer(chunk.values, VALUES)


def encode(
    *, run_id: int, attempt: int, name: str, first: int, last: int, arrays: Arrays
) -> SeriesChunk:
    steps, values = arrays
    return SeriesChunk(
        run_id=run_id,
        attempt=attempt,
        name=name,
        first_sequence=first,
        last_sequence=last,
        steps=np.ascontiguousarray(steps, STEPS).tobytes(),
        values=np.ascontiguousarray(values, VALUES).tobytes(),
    )


def from_points(*, run_id: int, attempt: int, points: list[Point]) -> list[SeriesChunk]:
    """One chunk for each series among `points`, whose outer steps must be consecutive."""
    first, last = points[0].step + 1, points[-1].step + 1
    if [point.step for point in points] != list(range(first - 1, last)):
        raise ValueError(f"outer steps {first - 1} to {last - 1} must come once each, in order")
    series: dict[str, tuple[list[int], list[float]]] = {}
    for point in points:
        for name, value in point.values.items():
            steps, values = series.setdefault(name, ([], []))
            steps.append(point.step)
            values.append(value)
    return [
        encode(
            run_id=run_id,
            attempt=attempt,
            name=name,
            first=first,
            last=last,
            arrays=(np.array(steps, STEPS), np.array(values, VALUES)),
        )
        for name, (steps, values) in series.items()
    ]


def trim(*, run_id: int, sequence: int) -> None:
    """Delete every point past `sequence`, cutting the chunks that straddle it."""
    past = SeriesChunk.objects.filter(run_id=run_id, last_sequence__gt=sequence)
    straddling = list(past.filter(first_sequence__lte=sequence))
    past.delete()
    kept = []
    for chunk in straddling:
        steps, values = decode(chunk)
        inside = steps < sequence
        if inside.any():
            kept.append(
                encode(
                    run_id=run_id,
                    attempt=chunk.attempt,
                    name=chunk.name,
                    first=chunk.first_sequence,
                    last=sequence,
                    arrays=(steps[inside], values[inside]),
                )
            )
    SeriesChunk.objects.bulk_create(kept)


def kept_from(*, run_id: int, attempt: int, sequence: int) -> int:
    """How many of the first `sequence` points that attempt `attempt` showed are still the run's.

    Rewinds only ever cut a tail off, so what later attempts wrote begins where the tail was cut.
    """
    rewritten = SeriesChunk.objects.filter(run_id=run_id, attempt__gt=attempt).aggregate(
        first=Min("first_sequence")
    )["first"]
    return sequence if rewritten is None else min(sequence, rewritten - 1)


def pack(run_id: int) -> None:
    """Join the many small chunks of a run that has ended into few large ones."""
    groups: dict[tuple[str, int, int], list[SeriesChunk]] = {}
    chunks = SeriesChunk.objects.filter(run_id=run_id).order_by("name", "first_sequence")
    for chunk in chunks:
        key = (chunk.name, chunk.attempt, chunk.first_sequence // PACKED_POINTS)
        groups.setdefault(key, []).append(chunk)
    if len(groups) == len(chunks):
        return
    packed = [_joined(members) for members in groups.values()]
    SeriesChunk.objects.filter(run_id=run_id).delete()
    SeriesChunk.objects.bulk_create(packed)


def _joined(members: list[SeriesChunk]) -> SeriesChunk:
    first = members[0]
    return encode(
        run_id=first.run_id,
        attempt=first.attempt,
        name=first.name,
        first=first.first_sequence,
        last=members[-1].last_sequence,
        arrays=joined_arrays(decode(member) for member in members),
    )


def joined_arrays(pieces: Iterable[Arrays]) -> Arrays:
    steps, values = zip(*pieces, strict=True)
    return np.concatenate(steps), np.concatenate(values)
