"""Long lists a page at a time, by where the last page ended: as fast at the end as at the start."""

from __future__ import annotations

from typing import Annotated, TypeVar

from django.db.models import Model, QuerySet
from ninja import Query

Row = TypeVar("Row", bound=Model)
Page = tuple[list[Row], int | None]
"""Some rows, and the cursor of those that follow; None at the end."""

CURSOR = Annotated[
    int | None,
    Query(ge=1, lt=2**63, description="`next` of the page before; leave it out for the first."),
]
LIMIT = Annotated[int, Query(ge=1, le=200, description="How many at most.")]


def newest_first(rows: QuerySet[Row], cursor: int | None, limit: int) -> Page[Row]:
    """At most `limit` of `rows` that are older than `cursor`.

    Ids rise as rows are made, so what is launched meanwhile neither repeats a row nor hides one.
    """
    if cursor is not None:
        rows = rows.filter(pk__lt=cursor)
    return _cut(list(rows.order_by("-pk")[: limit + 1]), limit)


def oldest_first(rows: QuerySet[Row], cursor: int | None, limit: int) -> Page[Row]:
    """At most `limit` of `rows` that are younger than `cursor`."""
    if cursor is not None:
        rows = rows.filter(pk__gt=cursor)
    return _cut(list(rows.order_by("pk")[: limit + 1]), limit)


def _cut(found: list[Row], limit: int) -> Page[Row]:
    page = found[:limit]
    return page, page[-1].pk if len(found) > limit else None
