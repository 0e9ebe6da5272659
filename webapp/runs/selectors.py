"""Reads: runs that a person may see, their series, and the table of runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from django.core.paginator import Page, Paginator
from django.db.models import F, FloatField, OrderBy, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.http import Http404

from webapp.runs import chunks
from webapp.runs.chunks import Arrays
from webapp.runs.models import Run, RunPicture, SeriesChunk, Status

if TYPE_CHECKING:
    from webapp.accounts.models import User

PAGE_SIZES = (25, 50, 100, 200)
_LARGEST_ID = 2**63 - 1


def visible_runs(user: User) -> QuerySet[Run]:
    """Every run of the lab, newest first, with its experiment and owner at hand."""
    if not (user.is_authenticated and user.is_active):
        return Run.objects.none()
    return Run.objects.select_related("experiment__owner")


def run_for(user: User, pk: int) -> Run:
    """The only door to a run; raises `Http404` where there is none to see."""
    run = visible_runs(user).filter(pk=pk).first() if 0 < pk <= _LARGEST_ID else None
    if run is None:
        raise Http404(f"There is no run {pk}.")
    return run


def next_in_line(run_id: int, limit: int = 20) -> list[int]:
    """Ids of the runs that wait in the queue of run `run_id`, as they stand in line.

    A run that went back to the queue keeps its place, whatever the order of the messages.
    """
    queue = Run.objects.filter(pk=run_id).values("queue")
    waiting = Run.objects.filter(status=Status.QUEUED, queue__in=queue)
    return list(in_line(waiting).values_list("pk", flat=True)[:limit])


def in_line(waiting: QuerySet[Run]) -> QuerySet[Run]:
    """The oldest first, but for those to which an admin gave another place."""
    stands_at = Coalesce("queue_place__stands_at", "created_at")
    return waiting.annotate(stands_at=stands_at).order_by("queue", "stands_at", "pk")


def series(
    run_ids: Iterable[int],
    names: Iterable[str] | None = None,
    after: int = 0,
    up_to: int | None = None,
) -> dict[int, dict[str, Arrays]]:
    """Series of each run as (outer steps int64, values float64), from the points past `after`.

    `names` restricts them; `up_to` is the last sequence to read. A run or a series without such a
    point is absent. One query for all runs.
    """
    rows = SeriesChunk.objects.filter(run_id__in=list(run_ids), last_sequence__gt=after)
    if names is not None:
        rows = rows.filter(name__in=list(names))
    if up_to is not None:
        rows = rows.filter(first_sequence__lte=up_to)
    pieces: dict[int, dict[str, list[Arrays]]] = {}
    for chunk in rows.order_by("run_id", "name", "first_sequence"):
        arrays = _within(chunks.decode(chunk), after, up_to)
        if arrays[0].size:
            pieces.setdefault(chunk.run_id, {}).setdefault(chunk.name, []).append(arrays)
    return {
        run_id: {name: chunks.joined_arrays(parts) for name, parts in named.items()}
        for run_id, named in pieces.items()
    }


def _within(arrays: Arrays, after: int, up_to: int | None) -> Arrays:
    steps, values = arrays
    start = int(np.searchsorted(steps, after))
    end = steps.size if up_to is None else int(np.searchsorted(steps, up_to))
    return steps[start:end], values[start:end]


@dataclass(frozen=True)
class PictureSteps:
    """Where one picture of a run was taken; `keys` tell versions of it apart."""

    name: str
    title: str
    kind: str
    steps: list[int]
    keys: list[int]
    left_out: int
    """How many were thinned out between those kept."""


def pictures_of(run: Run) -> list[PictureSteps]:
    """The pictures that `run` has, without their drawings, in the order in which they first came;
    one query."""
    found: dict[str, PictureSteps] = {}
    rows = run.pictures.order_by("step", "pk").values_list(
        "name", "title", "kind", "step", "pk", "left_out"
    )
    for name, title, kind, step, key, left_out in rows:
        known = found.get(name) or PictureSteps(name, title, kind, [], [], 0)
        found[name] = PictureSteps(
            name, title, kind, [*known.steps, step], [*known.keys, key], known.left_out + left_out
        )
    return list(found.values())


def picture_for(user: User, run_id: int, name: str, step: int) -> RunPicture:
    """One picture of a run that `user` may see; raises `Http404` where there is none."""
    run = run_for(user, run_id)
    known = 0 <= step < 2**31 and "\x00" not in name
    found = run.pictures.filter(name=name, step=step).first() if known else None
    if found is None:
        raise Http404(f"Run {run_id} has no such picture of step {step}.")
    found.run = run
    return found


def newest_pictures(runs: Iterable[Run]) -> list[RunPicture]:
    """The newest picture of each name of each of `runs`, without its drawing; one query."""
    rows = RunPicture.objects.filter(run__in=list(runs)).defer("drawing")
    return list(rows.order_by("run_id", "name", "-step").distinct("run_id", "name"))


@dataclass(frozen=True)
class RunsQuery:
    """What the table of runs shows. Unknown statuses and estimators simply match nothing."""

    text: str = ""
    status: tuple[str, ...] = ()
    estimator: tuple[str, ...] = ()
    owner: str = ""
    experiment: int | None = None
    sort: str = "-created"
    page: int = 1
    size: int = field(default=PAGE_SIZES[0])


def _figure(name: str) -> Cast:
    return Cast(KeyTextTransform(name, "summary"), FloatField())


SORTS = {
    "created": F("created_at"),
    "name": F("experiment__name"),
    "label": F("label"),
    "estimator": F("estimator"),
    "seed": F("seed"),
    "status": F("status"),
    "owner": F("experiment__owner__username"),
    "step": F("step"),
    "duration": F("finished_at") - F("started_at"),
    "meta_loss": _figure("meta_loss"),
    "test": Coalesce(_figure("test_accuracy"), 0 - _figure("test_loss")),
    "bias_relative": _figure("bias_relative"),
    "cosine": _figure("cosine"),
    "peak_bytes": _figure("peak_bytes"),
    "seconds": _figure("seconds"),
}
"""What the table can be sorted by; a leading minus turns the order round."""


def matching_runs(user: User, query: RunsQuery) -> QuerySet[Run]:
    """The runs that `query` finds, whatever its order and page."""
    return _filtered(visible_runs(user), query)


def runs_page(user: User, query: RunsQuery) -> Page:
    """One page of the table of runs: a count and one select, whatever its size."""
    runs = matching_runs(user, query).order_by(*_order(query.sort))
    size = query.size if query.size in PAGE_SIZES else PAGE_SIZES[0]
    return Paginator(runs, size).get_page(query.page)


def _filtered(runs: QuerySet[Run], query: RunsQuery) -> QuerySet[Run]:
    if "\x00" in "".join((query.text, query.owner, *query.status, *query.estimator)):
        return runs.none()
    for word in query.text.split()[:8]:
        runs = runs.filter(
            Q(label__icontains=word)
            | Q(experiment__name__icontains=word)
            | Q(experiment__owner__username__icontains=word)
        )
    if query.status:
        runs = runs.filter(status__in=query.status)
    if query.estimator:
        runs = runs.filter(estimator__in=query.estimator)
    if query.owner:
        runs = runs.filter(experiment__owner__username=query.owner)
    if query.experiment is not None:
        known = 0 < query.experiment <= _LARGEST_ID
        runs = runs.filter(experiment_id=query.experiment) if known else runs.none()
    return runs


def _order(sort: str) -> tuple[OrderBy, ...]:
    name = sort.removeprefix("-")
    falling = sort.startswith("-") or name not in SORTS
    key = OrderBy(SORTS.get(name, SORTS["created"]), descending=falling, nulls_last=True)
    return key, OrderBy(F("pk"), descending=falling)
