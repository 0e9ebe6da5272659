"""Reads: runs that a person may see, and their series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import QuerySet
from django.http import Http404

from webapp.runs import chunks
from webapp.runs.chunks import Arrays
from webapp.runs.models import Run, RunPicture, SeriesChunk

if TYPE_CHECKING:
    from webapp.accounts.models import User

_LARGEST_ID = 2**63 - 1


def visible_runs(user: User) -> QuerySet[Run]:
    """Every run of the lab, newest first, with its experiment and owner at hand."""
    if not _sees(user):
        return Run.objects.none()
    return Run.objects.select_related("experiment__owner")


def _sees(user: User) -> bool:
    """Whether `user` sees the lab's runs: all of them."""
    return user.is_authenticated and user.is_active


def seen_of_each(asked: Sequence[tuple[User, frozenset[int]]]) -> list[frozenset[int]]:
    """Of each person and the runs that they ask for, those of them that are visible to them, in
    order; one query for all, since everybody sees what `visible_runs` gives to anybody."""
    wanted = {pk for _, run_ids in asked for pk in run_ids}
    there = frozenset(Run.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    return [there & run_ids if _sees(user) else frozenset() for user, run_ids in asked]


def run_for(user: User, pk: int) -> Run:
    """The only door to a run; raises `Http404` where there is none to see."""
    run = visible_runs(user).filter(pk=pk).first() if 0 < pk <= _LARGEST_ID else None
    if run is None:
        raise Http404(f"There is no run {pk}.")
    return run


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
    rows = rows.annotate(some_steps=chunks.STEPS_UNLESS_ALL)
    rows = rows.order_by("run_id", "name", "first_sequence").values_list(
        "run_id", "name", "first_sequence", "last_sequence", "some_steps", "values"
    )
    for run_id, name, first, last, steps, values in rows:
        arrays = _within(chunks.decoded(first, last, steps, values), after, up_to)
        if arrays[0].size:
            pieces.setdefault(run_id, {}).setdefault(name, []).append(arrays)
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
