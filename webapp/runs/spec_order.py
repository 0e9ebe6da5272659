"""The order of runs by a field of their spec, from the values that are kept by configuration: far
fewer than there are runs, and no spec is read."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

_ORDERED = """
WITH known AS MATERIALIZED (
    SELECT configuration.digest, {first}(value.number) AS number, {first}(value.text) AS text
    FROM runs_specvalue value
    JOIN runs_knownconfiguration configuration ON configuration.values && ARRAY[value.id]
    WHERE value.path = %s
    GROUP BY configuration.digest
)
SELECT found.* FROM ({found}) found LEFT JOIN known ON known.digest = found.configuration
ORDER BY known.number {way} NULLS LAST, known.text {way} NULLS LAST, found.newest {way}
LIMIT %s
"""


def ordered_by_spec(
    found: QuerySet, path: str, *, falling: bool, limit: int
) -> list[tuple[Any, ...]]:
    """The first rows of `found`, which has `configuration` and `newest` among its values, by what
    the specs have in the field `path`: numbers before words, and what has nothing there last. Of
    several values the one that comes first counts; runs with the same one stand by `newest`."""
    try:
        sql, given = found.query.sql_with_params()
    except EmptyResultSet:
        return []
    first, way = ("max", "DESC") if falling else ("min", "ASC")
    with connections[found.db].cursor() as cursor:
        statement = _ORDERED.format(first=first, way=way, found=sql)
        cursor.execute(statement, [path, *given, limit])
        return cursor.fetchall()
