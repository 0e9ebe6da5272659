"""Points as chunks of bytes: written a flush at a time, trimmed on a rewind, packed at the end."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from django.db.models import BinaryField, Case, F, Func, IntegerField, Min, QuerySet, When
from django.db.models.lookups import GreaterThan

from engine.events import Point
from webapp.runs import rollups
from webapp.runs.models import SeriesChunk

STEPS = np.dtype("<i8")
VALUES = np.dtype("<f8")
PACKED_POINTS = 10_000
"""Points in one chunk of a run that has ended."""
JOINED_POINTS = (100, 1_000, PACKED_POINTS)
"""Points in the chunks of a running run, the newest ones first: a reader meets few, however long
the run is, and a point is written anew once for each length."""

Arrays = tuple[np.ndarray, np.ndarray]
"""Outer steps (int64) and values (float64) of one series, of equal length."""


STEPS_UNLESS_ALL = Case(
    When(
        GreaterThan(
            8 * (F("last_sequence") - F("first_sequence") + 1),
            Func("steps", function="octet_length", output_field=IntegerField()),
        ),
        then=F("steps"),
    ),
    output_field=BinaryField(),
)
"""The steps of a chunk, NULL where every outer step of its range has an entry: half of what a long
series weighs need not leave the database."""


def decode(chunk: SeriesChunk) -> Arrays:
    return np.frombuffer(chunk.steps, STEPS), np.frombuffer(chunk.values, VALUES)


def decoded(first: int, last: int, steps: bytes | None, values: bytes) -> Arrays:
    """The arrays of a chunk of the points `first` to `last`, with its `STEPS_UNLESS_ALL`."""
    every = np.arange(first - 1, last, dtype=STEPS)
    return every if steps is None else np.frombuffer(steps, STEPS), np.frombuffer(values, VALUES)


def encode(
    *, run_id: int, attempt: int, name: str, first: int, last: int, arrays: Arrays
) -> SeriesChunk:
    steps, values = np.ascontiguousarray(arrays[0], STEPS), np.ascontiguousarray(arrays[1], VALUES)
    return SeriesChunk(
        run_id=run_id,
        attempt=attempt,
        name=name,
        first_sequence=first,
        last_sequence=last,
        steps=steps.tobytes(),
        values=values.tobytes(),
        rollup=rollups.stored(steps, values),
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


def trim(*, run_id: int, sequence: int) -> set[str]:
    """Delete every point past `sequence`, cutting the chunks that straddle it; returns the names of
    the series that were cut."""
    past = SeriesChunk.objects.filter(run_id=run_id, last_sequence__gt=sequence)
    cut = set(past.order_by().values_list("name", flat=True).distinct())
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
    return cut


def kept_from(*, run_id: int, attempt: int, sequence: int) -> int:
    """How many of the first `sequence` points that attempt `attempt` showed are still the run's.

    Rewinds only ever cut a tail off, so what later attempts wrote begins where the tail was cut.
    """
    rewritten = SeriesChunk.objects.filter(run_id=run_id, attempt__gt=attempt).aggregate(
        first=Min("first_sequence")
    )["first"]
    return sequence if rewritten is None else min(sequence, rewritten - 1)


def join(*, run_id: int, before: int, now: int) -> None:
    """Join the small chunks of every full stretch of a length in `JOINED_POINTS` that the sequence
    went past between `before` and `now`."""
    for length in JOINED_POINTS:
        first, last = (sequence // length * length for sequence in (before, now))
        if last > first:
            stretch = SeriesChunk.objects.filter(run_id=run_id, first_sequence__gt=first)
            _join(stretch.filter(first_sequence__lte=last), length)


def pack(run_id: int) -> None:
    """Join the chunks of a run that has ended into few large ones."""
    _join(SeriesChunk.objects.filter(run_id=run_id), PACKED_POINTS)


def _join(chunks: QuerySet[SeriesChunk], length: int) -> None:
    """Make one of those `chunks` of a series and an attempt that begin in the same `length`."""
    groups: dict[tuple[str, int, int], list[SeriesChunk]] = {}
    for chunk in chunks.order_by("name", "first_sequence"):
        key = (chunk.name, chunk.attempt, (chunk.first_sequence - 1) // length)
        groups.setdefault(key, []).append(chunk)
    several = [members for members in groups.values() if len(members) > 1]
    joined = [_joined(members) for members in several]
    chunks.filter(pk__in=[chunk.pk for members in several for chunk in members]).delete()
    SeriesChunk.objects.bulk_create(joined)


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
