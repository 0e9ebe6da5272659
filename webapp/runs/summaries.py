"""Summaries computed anew from the stored series.

A summary grows with the points of its run, and holds what the version that recorded them kept. What
a later version keeps besides, such as the best of every metric, older runs lack until then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from engine.directions import BETTER
from engine.summary import Summary, updated
from webapp.runs.chunks import VALUES
from webapp.runs.models import ENDS, Run, SeriesChunk
from webapp.runs.services import storable

RUNS_AT_ONCE = 50
"""In one transaction, which holds their rows: they cannot be resumed or deleted meanwhile."""
CHUNKS_AT_ONCE = 100


@dataclass(frozen=True)
class Outcome:
    runs: int
    changed: int


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
        found = _of_series([run.pk for run in runs])
        changed = []
        for run in runs:
            summary = run.summary | storable(found.get(run.pk, {}))
            if summary != run.summary:
                run.summary = summary
                changed.append(run)
        Run.objects.bulk_update(changed, ["summary"])
    return len(changed)


def _of_series(keys: list[int]) -> dict[int, Summary]:
    """What the series of each of the runs `keys` come down to, a chunk at a time."""
    chunks = SeriesChunk.objects.filter(run_id__in=keys).order_by(
        "run_id", "name", "first_sequence"
    )
    rows = chunks.values_list("run_id", "name", "values")
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
