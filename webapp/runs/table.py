"""The table of runs: filtered, sorted, paged and folded by Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import Avg, F, Max, Min, OrderBy, QuerySet

from webapp.runs.columns import Column, columns, find_column
from webapp.runs.models import Run
from webapp.runs.query import condition, mentions, parse
from webapp.runs.query.conditions import has_value
from webapp.runs.selectors import visible_runs
from webapp.runs.spec_order import ordered_by_spec

if TYPE_CHECKING:
    from webapp.accounts.models import User

PAGE_SIZES = (25, 50, 100, 200)
MOST_LISTED = 10_000
"""Runs that a table goes through page by page: who looks for one among more narrows the query."""
_LARGEST_ID = 2**63 - 1
_OTHER_NAMES = {"label": "run", "name": "experiment"}


@dataclass(frozen=True)
class RunsQuery:
    """What the table of runs shows. `text` is a query; the other filters narrow it further, and
    what they do not know simply matches nothing."""

    text: str = ""
    status: tuple[str, ...] = ()
    estimator: tuple[str, ...] = ()
    task: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    owner: str = ""
    experiment: int | None = None
    sort: str = "-created"
    page: int = 1
    size: int = PAGE_SIZES[0]


def matching_runs(user: User, query: RunsQuery) -> QuerySet[Run]:
    """The runs that `query` finds, whatever its order and page; archived ones only where its text
    speaks of them. Raises `QueryError` where the text cannot be understood."""
    runs = visible_runs(user)
    tree = parse(query.text)
    if not mentions(tree, "archived"):
        runs = runs.filter(archived_at=None)
    if tree is not None:
        runs = runs.filter(condition(tree, user))
    if "\x00" in "".join((query.owner, *query.status, *query.estimator, *query.task, *query.tag)):
        return runs.none()
    if query.status:
        runs = runs.filter(status__in=query.status)
    if query.estimator:
        runs = runs.filter(estimator__in=query.estimator)
    if query.task:
        runs = runs.filter(has_value("inner_task.kind", text__in=query.task))
    if query.tag:
        tagged = Run.tags.through.objects.filter(tag__name__in=query.tag)
        runs = runs.filter(pk__in=tagged.values("run_id"))
    if query.owner:
        runs = runs.filter(experiment__owner__username=query.owner)
    if query.experiment is not None:
        known = 0 < query.experiment <= _LARGEST_ID
        runs = runs.filter(experiment_id=query.experiment) if known else runs.none()
    return runs


class ListedPaginator(Paginator):
    """Pages of the first `MOST_LISTED` of what was found; `is_cut` where there are more."""

    is_cut = False


def runs_page(user: User, query: RunsQuery, *, with_specs: bool = True) -> Page:
    """One page of runs, with their tags. One query finds, sorts and counts them."""
    sort, falling = read_sort(query.sort)
    found = matching_runs(user, query).order_by().annotate(newest=F("pk"))
    if sort.sort is None:
        rows = found.values_list("configuration", "newest")
        listed = _by_spec(rows, sort, falling=falling)
    else:
        order = OrderBy(sort.sort, descending=falling, nulls_last=sort.may_be_missing or None)
        rows = found.order_by(order, OrderBy(F("pk"), descending=falling)).values_list("newest")
        listed = list(rows[: MOST_LISTED + 1])
    page = _page([pk for *_, pk in listed], query)
    page.object_list = in_order(user, page.object_list, with_specs=with_specs)
    return page


def groups_page(user: User, query: RunsQuery, *, with_specs: bool = True) -> Page:
    """One page of lists of runs that differ by seed only, sorted by the mean of a figure, or by
    what comes first of anything else."""
    sort, falling = read_sort(query.sort)
    matching = matching_runs(user, query).order_by()
    groups = matching.values_list("experiment_id", "configuration").annotate(newest=Max("pk"))
    if sort.sort is None:
        listed = _by_spec(groups, sort, falling=falling)
    else:
        key = Avg(sort.sort) if sort.is_figure else Max(sort.sort) if falling else Min(sort.sort)
        groups = groups.annotate(key=key).order_by(
            OrderBy(F("key"), descending=falling, nulls_last=True),
            OrderBy(F("newest"), descending=falling),
        )
        listed = list(groups[: MOST_LISTED + 1])
    page = _page([(experiment, configuration) for experiment, configuration, *_ in listed], query)
    pairs = list(page.object_list)
    members = matching.filter(
        experiment_id__in={experiment for experiment, _ in pairs},
        configuration__in={configuration for _, configuration in pairs},
    )
    pks = list(members.order_by("seed", "pk").values_list("pk", flat=True))
    runs: dict[tuple[int, str], list[Run]] = {pair: [] for pair in pairs}
    for run in in_order(user, pks, with_specs=with_specs):
        runs.setdefault((run.experiment_id, run.configuration), []).append(run)
    page.object_list = [runs[pair] for pair in pairs if runs[pair]]
    return page


def in_order(user: User, pks: Sequence[int], *, with_specs: bool = True) -> list[Run]:
    """The runs with these numbers as they are now, with owner and tags; three queries at most."""
    runs = visible_runs(user).prefetch_related("tags")
    found = (runs if with_specs else runs.defer("spec")).in_bulk(list(pks))
    return [found[pk] for pk in pks if pk in found]


def read_sort(sort: str) -> tuple[Column, bool]:
    """The column that `-name` or `name` names, and whether the largest come first."""
    name = sort.removeprefix("-")
    column = find_column(_OTHER_NAMES.get(name, name))
    if column is None:
        return columns()["created"], True
    return column, sort.startswith("-")


def _by_spec(found: QuerySet, sort: Column, *, falling: bool) -> list[tuple[Any, ...]]:
    return ordered_by_spec(found, sort.name, falling=falling, limit=MOST_LISTED + 1)


def _page(listed: list[Any], query: RunsQuery) -> Page:
    size = query.size if query.size in PAGE_SIZES else PAGE_SIZES[0]
    paginator = ListedPaginator(listed[:MOST_LISTED], size)
    paginator.is_cut = len(listed) > MOST_LISTED
    return paginator.get_page(query.page)
