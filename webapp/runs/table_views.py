"""The page of all runs: the table, its rows as they are now, and how a query can go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from engine.spec.installed import ESTIMATORS
from webapp.compare.views import FEWEST, MOST
from webapp.experiments.form.shapes import label_of
from webapp.runs.cells import Row, group_row, row_of
from webapp.runs.columns import MOST_COLUMNS, Column, columns, last_column
from webapp.runs.models import Run, Status
from webapp.runs.query import QueryError, completions
from webapp.runs.query.spec_fields import spec_fields
from webapp.runs.selectors import visible_runs
from webapp.runs.table import PAGE_SIZES, groups_page, in_order, read_sort, runs_page
from webapp.runs.table_address import Table, address, read_table
from webapp.runs.table_models import TableColumns, Tag
from webapp.runs.table_services import views_for

MOST_AT_ONCE = 1000
"""Runs that one request can name: a page of groups of five seeds."""


@require_GET
def runs_table(request: HttpRequest) -> HttpResponse:
    """The whole page, or the table alone where htmx asks for it."""
    part = request.htmx and not request.htmx.history_restore_request
    table = read_table(request.GET, own_columns(request, request.GET))
    try:
        context = table_context(request, request.GET, table)
    except QueryError as error:
        return _misunderstood(request, table, error, part=bool(part))
    if part:
        answer = render(request, "runs/_table_update.html", context)
        answer["HX-Push-Url"] = _path(address(request.GET))
        return answer
    is_empty = not context["page"].paginator.count and not visible_runs(request.user).exists()
    context |= _page_context(request, table) | {"lab_is_empty": is_empty}
    return render(request, "runs/list.html", context)


@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """The rows of some runs as they are now: a running row is replaced where it stands."""
    ids = read_ids(request.GET.get("runs", ""))
    if ids is None:
        text = f"runs: allowed are at most {MOST_AT_ONCE} numbers with commas between."
        return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")
    table = read_table(request.GET, own_columns(request, request.GET))
    runs = in_order(request.user, ids, with_specs=_needs_specs(table))
    return render(request, "runs/_rows.html", {"rows": _rows(runs, table)})


@require_GET
def complete(request: HttpRequest) -> JsonResponse:
    """How the query `q` can go on from the cursor `at`, characters into it."""
    text = request.GET.get("q", "").replace("\x00", "")
    at = request.GET.get("at", "")
    cursor = int(at) if at.isascii() and at.isdigit() and len(at) < 6 else len(text)
    found = completions(text, cursor, request.user)
    items = [{"text": item.text, "label": item.label, "help": item.help} for item in found.items]
    return JsonResponse({"start": found.start, "items": items})


def table_context(request: HttpRequest, query: QueryDict, table: Table) -> dict[str, Any]:
    """What `runs/_table.html` needs; raises `QueryError`."""
    read = groups_page if table.grouped else runs_page
    page: Page = read(request.user, table.query, with_specs=_needs_specs(table))
    return {
        "page": page,
        "rows": [group_row(runs, table.columns) for runs in page.object_list]
        if table.grouped
        else [row_of(run, table.columns) for run in page.object_list],
        "table": table,
        "headers": [_header(query, table, column) for column in table.columns],
        "address": address(query),
        "state": _state(query),
        "previous_page": "?" + address(query, page=str(page.number - 1)),
        "next_page": "?" + address(query, page=str(page.number + 1)),
        "page_sizes": PAGE_SIZES,
    }


def read_ids(text: str) -> list[int] | None:
    """Run numbers from "1,2,3", each once; None where they are not, or too many."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        return None
    ids = list(dict.fromkeys(map(int, parts)))
    return ids if len(ids) <= MOST_AT_ONCE else None


def _misunderstood(
    request: HttpRequest, table: Table, error: QueryError, *, part: bool
) -> HttpResponse:
    """422: what is wrong with the query. A table that is there already stays as it is."""
    context: dict[str, Any] = {"problem": error, "query_text": table.query.text}
    if part:
        answer = render(request, "runs/_query_problem.html", context, status=422)
        answer["HX-Retarget"] = "#query-problem"
        answer["HX-Reswap"] = "innerHTML"
        answer["HX-Push-Url"] = "false"
        return answer
    context |= {"table": table, "state": _state(request.GET), "address": address(request.GET)}
    context |= _page_context(request, table)
    return render(request, "runs/list.html", context, status=422)


def _page_context(request: HttpRequest, table: Table) -> dict[str, Any]:
    chosen = [last_column(column.name) if table.best else column.name for column in table.columns]
    return {
        "statuses": Status.choices,
        "estimators": [(kind, model.title) for kind, model in ESTIMATORS.items()],
        "tasks": [(kind, label_of(kind)) for kind in spec_fields()["inner_task.kind"].choices],
        "owners": _owners(),
        "tags": list(Tag.objects.values_list("name", flat=True)[:200]),
        "views": views_for(request.user),
        "view_address": address(request.GET, page=""),
        "picker": _picker(chosen),
        "most_columns": MOST_COLUMNS,
        "fewest": FEWEST,
        "most": MOST,
        "most_at_once": MOST_AT_ONCE,
    }


def _rows(runs: Sequence[Run], table: Table) -> list[Row]:
    if not table.grouped:
        return [row_of(run, table.columns) for run in runs]
    groups: dict[tuple[int, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.experiment_id, run.configuration), []).append(run)
    return [group_row(members, table.columns) for members in groups.values()]


def _needs_specs(table: Table) -> bool:
    return any(column.needs_spec for column in table.columns)


def own_columns(request: HttpRequest, query: QueryDict) -> list[str]:
    """The columns that this person chose, where `query` names none."""
    if query.get("columns"):
        return []
    own = TableColumns.objects.filter(user_id=request.user.pk).first()
    return own.names if own else []


def _header(query: QueryDict, table: Table, column: Column) -> dict[str, Any]:
    """A header: where a click leads, and which way the column is sorted now."""
    sorted_by, falling = read_sort(table.query.sort)
    is_sorted = sorted_by.name == column.name
    to_falling = not falling if is_sorted else column.falls_first
    # The address names the last value: whether that or the best is shown is said apart.
    name = last_column(column.name) if table.best else column.name
    return {
        "title": column.title,
        "help": column.help,
        "is_numeric": column.kind == "number",
        "href": "?" + address(query, sort=f"-{name}" if to_falling else name, page=""),
        "sorted": "none" if not is_sorted else "descending" if falling else "ascending",
    }


def _picker(chosen: Sequence[str]) -> list[tuple[str, list[tuple[Column, bool]]]]:
    """Headings with their columns, and whether each is shown."""
    groups: dict[str, list[tuple[Column, bool]]] = {}
    for column in columns().values():
        if column.name != "run":
            groups.setdefault(column.group, []).append((column, column.name in chosen))
    return list(groups.items())


def _state(query: QueryDict) -> list[tuple[str, str]]:
    """What the filters' form does not show, and keeps when it is sent."""
    hidden = ("experiment", "sort", "columns", "size")
    return [(name, value) for name in hidden for value in query.getlist(name) if value]


def _path(query: str) -> str:
    return reverse("runs:list") + (f"?{query}" if query else "")


def _owners() -> list[str]:
    people = get_user_model().objects.filter(experiments__isnull=False).distinct()
    return list(people.order_by("username").values_list("username", flat=True))
