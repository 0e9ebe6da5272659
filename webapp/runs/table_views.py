"""The table of runs: filtered, sorted and paged by Postgres; its state is the page's address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from engine.spec.installed import ESTIMATORS
from webapp.compare.views import FEWEST, MOST
from webapp.exports.requests import BadRequest, read_run_ids
from webapp.runs.models import Status
from webapp.runs.selectors import PAGE_SIZES, SORTS, RunsQuery, runs_page, visible_runs

COLUMNS = (
    ("label", "Run", ""),
    ("status", "Status", ""),
    ("meta_loss", "Meta-loss", "numeric"),
    ("test", "Test", "numeric"),
    ("bias_relative", "Bias / oracle norm", "numeric"),
    ("cosine", "Cosine", "numeric"),
    ("peak_bytes", "Peak memory", "numeric"),
    ("seconds", "Time", "numeric"),
    ("owner", "Owner", ""),
    ("created", "Launched", ""),
)
FALLING_FIRST = {"created", "cosine", "step", "test"}


@require_GET
def runs_table(request: HttpRequest) -> HttpResponse:
    """The whole page, or the table alone where htmx asks for it."""
    query = _read(request.GET)
    page = runs_page(request.user, query)
    context = {
        "page": page,
        "query": query,
        "columns": [_column(request.GET, query, *column) for column in COLUMNS],
        "previous_page": _address(request.GET, page=str(page.number - 1)),
        "next_page": _address(request.GET, page=str(page.number + 1)),
        "fewest": FEWEST,
        "most": MOST,
    }
    if request.htmx:
        return render(request, "runs/_table.html", context)
    context |= {
        "statuses": Status.choices,
        "estimators": _estimators(),
        "owners": _owners(),
        "lab_is_empty": not page.paginator.count and not visible_runs(request.user).exists(),
    }
    return render(request, "runs/list.html", context)


@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """The rows of some runs as they are now: a running row is replaced where it stands."""
    try:
        ids = read_run_ids(request.GET.get("runs", ""))
    except BadRequest as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    return render(
        request, "runs/_rows.html", {"page": visible_runs(request.user).filter(pk__in=ids)}
    )


def _read(query: QueryDict) -> RunsQuery:
    return RunsQuery(
        text=query.get("q", "")[:200],
        status=tuple(filter(None, query.getlist("status"))),
        estimator=tuple(filter(None, query.getlist("estimator"))),
        owner=query.get("owner", ""),
        experiment=_number(query.get("experiment")),
        sort=query.get("sort", "-created"),
        page=_number(query.get("page")) or 1,
        size=_number(query.get("size")) or PAGE_SIZES[0],
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _column(
    query: QueryDict, current: RunsQuery, name: str, title: str, kind: str
) -> dict[str, Any]:
    """A header: where a click leads, and which way the column is sorted now."""
    assert name in SORTS
    falling = current.sort == f"-{name}"
    rising = current.sort == name
    first = f"-{name}" if name in FALLING_FIRST else name
    other = name if falling else f"-{name}"
    return {
        "title": title,
        "kind": kind,
        "href": _address(query, sort=other if falling or rising else first, page=""),
        "sorted": "descending" if falling else "ascending" if rising else "none",
    }


def _address(query: QueryDict, **changes: str) -> str:
    """This page's address with some parameters changed; an empty one is left out."""
    kept = [(name, value) for name in query for value in query.getlist(name) if name not in changes]
    pairs = [(name, value) for name, value in [*kept, *changes.items()] if value]
    return f"?{urlencode(pairs)}"


def _estimators() -> list[tuple[str, str]]:
    """Kind and title of every estimator and search that a spec can name."""
    return [(kind, model.title) for kind, model in ESTIMATORS.items()]


def _owners() -> list[str]:
    people = get_user_model().objects.filter(experiments__isnull=False).distinct()
    return list(people.order_by("username").values_list("username", flat=True))
