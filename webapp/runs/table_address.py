"""The address of the table of runs holds its state: read from it, and written back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from webapp.runs.columns import DEFAULT, Column, best_column, read_columns
from webapp.runs.table import PAGE_SIZES, RunsQuery

KEPT = ("q", "status", "estimator", "task", "tag", "owner", "experiment", "sort", "columns",
        "group", "of", "size", "page")  # fmt: skip
"""The parameters in the order in which an address has them; others are dropped."""
BY_CONFIGURATION = "configuration"
NEWEST_FIRST = "-created"
DEFAULTS = {"of": "last", "size": str(PAGE_SIZES[0]), "page": "1"}


@dataclass(frozen=True)
class Table:
    """What the page shows: which runs, which columns, each by itself or folded over seeds."""

    query: RunsQuery
    columns: tuple[Column, ...]
    grouped: bool
    best: bool
    """Whether metrics with a direction show the best of all outer steps, and not the last."""


def read_table(query: QueryDict, own_columns: Sequence[str] = ()) -> Table:
    """`own_columns` are those of the person, for an address that names none."""
    named = [name for part in query.getlist("columns") for name in part.split(",") if name]
    best = query.get("of") == "best"
    names = named or own_columns or DEFAULT
    sort = query.get("sort") or NEWEST_FIRST
    if best:
        names = [best_column(name) for name in names]
        name = sort.removeprefix("-")
        sort = sort.removesuffix(name) + best_column(name)
    return Table(
        query=RunsQuery(
            text=query.get("q", ""),
            status=_several(query, "status"),
            estimator=_several(query, "estimator"),
            task=_several(query, "task"),
            tag=_several(query, "tag"),
            owner=query.get("owner", ""),
            experiment=_number(query.get("experiment")),
            sort=sort,
            page=_number(query.get("page")) or 1,
            size=_number(query.get("size")) or PAGE_SIZES[0],
        ),
        columns=read_columns(names),
        grouped=query.get("group") == BY_CONFIGURATION,
        best=best,
    )


def address(query: QueryDict, **changes: str) -> str:
    """The query of the page's address with some parameters changed; what is empty or as it would
    be anyway is left out, and so is what the table does not know."""
    values = {name: query.getlist(name) for name in KEPT}
    values |= {name: [value] for name, value in changes.items()}
    pairs = [
        (name, value)
        for name in KEPT
        for value in values[name]
        if value and value != DEFAULTS.get(name)
    ]
    return urlencode(pairs, safe=",:")


def _several(query: QueryDict, name: str) -> tuple[str, ...]:
    return tuple(filter(None, query.getlist(name)))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
