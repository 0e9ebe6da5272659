"""Keeping what a run shows of itself: bounded in number and bytes, thinned from the middle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.events import Pictured
from webapp.runs.models import RunEvent, RunPicture

MOST_NAMES = 24
"""Pictures of different names in one run."""
MOST_OF_ONE_NAME = 60
"""Outer steps at which one picture is kept."""
MOST_BYTES = 32_000_000
"""Of all pictures of a run together, as JSON."""
MOST_BYTES_OF_ONE = 4_000_000


@dataclass
class _Kept:
    pk: int
    step: int
    size: int
    left_out: int


def record(*, run_id: int, attempt: int, pictured: Iterable[Pictured]) -> None:
    """Write `pictured` in the caller's transaction, and thin out what has become too much.

    A picture replaces the one of the same name and step. One that is too large, or of one name too
    many, is left out, and the run's log says so once.
    """
    names = set(RunPicture.objects.filter(run_id=run_id).values_list("name", flat=True))
    rows: dict[tuple[str, int], RunPicture] = {}
    for item in pictured:
        row = _row(run_id, attempt, item)
        if row.size > MOST_BYTES_OF_ONE:
            _warn_once(row, f"of {row.size:,} bytes, more than the {MOST_BYTES_OF_ONE:,} allowed")
        elif row.name not in names and len(names) == MOST_NAMES:
            _warn_once(row, f"beyond the {MOST_NAMES} pictures that a run may have")
        else:
            names.add(row.name)
            rows[row.name, row.step] = row
    for name, step in rows:
        RunPicture.objects.filter(run_id=run_id, name=name, step=step).delete()
    RunPicture.objects.bulk_create(rows.values())
    _thin(run_id)


def trim(*, run_id: int, sequence: int) -> None:
    """Delete every picture past the first `sequence` outer steps."""
    RunPicture.objects.filter(run_id=run_id, step__gte=sequence).delete()


def _row(run_id: int, attempt: int, item: Pictured) -> RunPicture:
    drawing = item.picture.drawing.model_dump_json()
    return RunPicture(
        run_id=run_id,
        attempt=attempt,
        step=item.step,
        name=item.picture.name,
        title=item.picture.title,
        kind=item.picture.drawing.kind,
        drawing=drawing,
        size=len(drawing.encode()),
    )


def _warn_once(row: RunPicture, why: str) -> None:
    message = f"The picture {row.name} is not kept: it is {why}."
    RunEvent.objects.get_or_create(
        run_id=row.run_id,
        level=RunEvent.Level.WARNING,
        message=message,
        defaults={"attempt": row.attempt, "step": row.step},
    )


def _thin(run_id: int) -> None:
    rows = RunPicture.objects.filter(run_id=run_id).order_by("name", "step")
    kept: dict[str, list[_Kept]] = {}
    for name, *numbers in rows.values_list("name", "pk", "step", "size", "left_out"):
        kept.setdefault(name, []).append(_Kept(*numbers))
    before = {item.pk: item.left_out for items in kept.values() for item in items}
    for items in kept.values():
        while len(items) > MOST_OF_ONE_NAME:
            _drop_one(items)
    while sum(_bytes(items) for items in kept.values()) > MOST_BYTES:
        longer = [items for items in kept.values() if len(items) > 2]
        if not longer:
            break
        _drop_one(max(longer, key=_bytes))
    after = {item.pk: item.left_out for items in kept.values() for item in items}
    RunPicture.objects.filter(pk__in=before.keys() - after.keys()).delete()
    for pk, count in after.items():
        if count != before[pk]:
            RunPicture.objects.filter(pk=pk).update(left_out=count)


def _drop_one(items: list[_Kept]) -> None:
    """Drop the one in the middle whose neighbours are closest, so that all of the run stays
    covered; the one after it remembers how many are missing before it."""
    gaps = [items[i + 1].step - items[i - 1].step for i in range(1, len(items) - 1)]
    index = 1 + gaps.index(min(gaps))
    items[index + 1].left_out += items[index].left_out + 1
    del items[index]


def _bytes(items: list[_Kept]) -> int:
    return sum(item.size for item in items)
