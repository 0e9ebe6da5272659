"""Summaries computed anew from the stored series.

A summary grows with the points of its run, and is taken back where points are cut. It holds what
the version that recorded them kept. What a later version keeps besides, such as the best of every
metric, older runs lack until all are computed anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import QuerySet

from engine.directions import BETTER
from engine.plain import plain
from engine.summary import Summary, best_of, updated
from webapp.runs.chunks import VALUES
from webapp.runs.models import ENDS, Run, SeriesChunk

RUNS_AT_ONCE = 50
"""In one transaction, which holds their rows: they cannot be resumed or deleted meanwhile."""
CHUNKS_AT_ONCE = 100


@dataclass(frozen=True)
class Outcome:
    runs: int
    changed: int


def storable(summary: Mapping[str, float | str | None]) -> dict[str, float | str | None]:
    """`summary` without what JSON lacks: non-finite values become "nan", "inf" and "-inf"."""
    return plain(dict(summary))


def without_what_was_cut(run_id: int, cut: Collection[str]) -> dict[str, float | str | None]:
    """The summary of a run whose series `cut` have lost their last points: of these what is left
    of them says, of all else what it has been."""
    gone = {*cut, *map(best_of, cut)}
    summary = Run.objects.values_list("summary", flat=True).get(pk=run_id)
    kept = {name: value for name, value in summary.items() if name not in gone}
    left = SeriesChunk.objects.filter(run_id=run_id, name__in=cut)
    return kept | storable(_of_series(left).get(run_id, {}))


def recompute_all(tell: Callable[[int, int], None]) -> Outcome:
    """Compute the summary of every run that has ended anew. What the series do not say stays.

    Harmless to repeat and to interrupt: whatever was told to `tell`, as (done, of), is kept. Runs
    that have not ended get theirs the next time.
    """
    ended = Run.objects.filter(status__in=ENDS).order_by("pk").values_list("pk", flat=True)
    done, changed, last, of = 0, 0, 0, ended.count()
    while keys := list(ended.filter(pk__gt=last)[:RUNS_AT_ONCE]):
        changed += _recompute(keys)
        done, last = done + len(keys), keys[-1]
        tell(done, of)
    return Outcome(done, changed)


def _recompute(keys: list[int]) -> int:
    """Of the runs `keys`; returns how many have another summary now."""
    with transaction.atomic():
        ended = Run.objects.select_for_update().filter(pk__in=keys, status__in=ENDS)
        runs = list(ended.only("summary"))
        found = _of_series(SeriesChunk.objects.filter(run_id__in=[run.pk for run in runs]))
        changed = []
        for run in runs:
            summary = run.summary | storable(found.get(run.pk, {}))
            if summary != run.summary:
                run.summary = summary
                changed.append(run)
        Run.objects.bulk_update(changed, ["summary"])
    return len(changed)


def _of_series(chunks: QuerySet[SeriesChunk]) -> dict[int, Summary]:
    """What the series of `chunks` come down to, by run; a chunk at a time."""
    in_order = chunks.order_by("run_id", "name", "first_sequence")
    rows = in_order.values_list("run_id", "name", "values")
    found: dict[int, Summary] = {}
    for run_id, name, values in rows.iterator(chunk_size=CHUNKS_AT_ONCE):
        found[run_id] = _after(found.get(run_id, {}), name, np.frombuffer(values, VALUES))
    return found


def _after(summary: Summary, name: str, values: np.ndarray) -> Summary:
    """`summary` after further `values` of the series `name`: the best of them, then the last."""
    finite = values[np.isfinite(values)]
    if name in BETTER and finite.size:
        best = finite.min() if BETTER[name] == "lower" else finite.max()
        summary = updated(summary, {name: float(best)})
    return updated(summary, {name: float(values[-1])})
