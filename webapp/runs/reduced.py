"""A run's series in a few hundred buckets, from the cells that are stored beside its points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from django.db.models import BinaryField, Case, F, When

from webapp.runs import rollups
from webapp.runs.chunks import STEPS, VALUES
from webapp.runs.models import Run, SeriesChunk
from webapp.runs.rollups import CELL_STEPS, cells_of, merged
from webapp.runs.selectors import series


@dataclass(frozen=True)
class Reduced:
    """Series name to cells (`webapp.runs.rollups.CELL`) of `width` outer steps, in order."""

    width: int
    series: dict[str, np.ndarray] = field(default_factory=dict)


def reduced(
    run: Run,
    *,
    buckets: int,
    names: Iterable[str] | None = None,
    start: int = 0,
    end: int | None = None,
) -> Reduced:
    """The outer steps from `start` up to before `end` in at most `buckets` (≥ 2) buckets.

    One query. A series without a point there is absent. Buckets lie on the grid of their width, so
    the first and the last may reach past `start` and `end`.
    """
    end = run.sequence if end is None else min(end, run.sequence)
    if end <= start:
        return Reduced(width=1)
    width = width_for(start, end, buckets)
    first, last = start // width * width, -(-end // width) * width
    if width < CELL_STEPS:
        points = series([run.pk], names, after=first, up_to=last).get(run.pk, {})
        return Reduced(width, {name: cells_of(*own, width) for name, own in points.items()})
    found = {
        name: merged(np.concatenate(pieces), width // CELL_STEPS)
        for name, pieces in _stored_cells(run, names, first, last).items()
    }
    inside = slice(first // width, last // width)
    kept = {name: _within(cells, inside) for name, cells in found.items()}
    return Reduced(width, {name: cells for name, cells in kept.items() if len(cells)})


def width_for(start: int, end: int, buckets: int) -> int:
    """The smallest width, of those that cells can be merged to, with at most `buckets` buckets."""
    span = end - start
    for parts in (buckets, buckets - 1):
        width = -(-span // parts)
        if width >= CELL_STEPS:
            width = -(-width // CELL_STEPS) * CELL_STEPS
        if (end - 1) // width - start // width < buckets:
            return width
    raise ValueError(f"{buckets} buckets: at least 2 are needed")


def _stored_cells(
    run: Run, names: Iterable[str] | None, first: int, last: int
) -> dict[str, list[np.ndarray]]:
    """The cells of every chunk from the outer step `first` up to before `last`, in order; those
    that are not stored are made from its points."""
    rows = SeriesChunk.objects.filter(run=run, last_sequence__gt=first, first_sequence__lte=last)
    if names is not None:
        rows = rows.filter(name__in=list(names))
    found: dict[str, list[np.ndarray]] = {}
    rows = rows.annotate(bare_steps=_where_bare("steps"), bare_values=_where_bare("values"))
    rows = rows.order_by("name", "first_sequence")
    for name, rollup, steps, values in rows.values_list(
        "name", "rollup", "bare_steps", "bare_values"
    ):
        if rollup is not None:
            cells = rollups.read(rollup)
        else:
            cells = cells_of(np.frombuffer(steps, STEPS), np.frombuffer(values, VALUES))
        found.setdefault(name, []).append(cells)
    return found


def _where_bare(column: str) -> Case:
    """`column` of the chunks without a roll-up: of the others it need not leave the database."""
    return Case(When(rollup=None, then=F(column)), default=None, output_field=BinaryField())


def _within(cells: np.ndarray, indices: slice) -> np.ndarray:
    start, end = np.searchsorted(cells["index"], (indices.start, indices.stop))
    return cells[start:end]
