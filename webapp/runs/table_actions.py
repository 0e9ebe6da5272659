"""What people do from the table of runs: to many runs at once, to views and to its columns."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from webapp.runs import table_services
from webapp.runs.columns import DEFAULT, read_columns
from webapp.runs.query import QueryError
from webapp.runs.table_address import address, read_table
from webapp.runs.table_services import OPPOSITE, Done, Refused
from webapp.runs.table_views import MOST_AT_ONCE, own_columns, read_ids, table_context


@require_POST
def act_on_runs(request: HttpRequest) -> HttpResponse:
    """`action` on the runs `runs`; htmx gets the table as it is then, with a way back."""
    try:
        ids = read_ids(request.POST.get("runs", ""))
        if not ids:
            raise Refused(f"runs: pick 1 to {MOST_AT_ONCE} runs.")
        done = table_services.act(
            user=request.user,
            action=request.POST.get("action", ""),
            pks=ids,
            tag=request.POST.get("tag", ""),
        )
    except Refused as error:
        return _refused(request, error)
    if not request.htmx:
        messages.success(request, done.sentence)
        return redirect(_back(request))
    return render(request, "runs/_acted.html", _table_now(request) | _undo(done))


@require_POST
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Keep the columns for this person, and go on with them in the address."""
    ticked = list(DEFAULT) if request.POST.get("default") else request.POST.getlist("columns")
    query = QueryDict(request.POST.get("address", ""))
    before = read_table(query, own_columns(request, query)).columns
    # What was shown keeps its place; what is new comes behind it.
    kept = [column.name for column in before if column.name in ticked]
    chosen = [column.name for column in read_columns([*kept, *ticked])]
    table_services.choose_columns(user=request.user, names=chosen)
    return redirect(_back(request, columns=",".join(chosen)))


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the table's address under a name."""
    query = address(QueryDict(request.POST.get("address", "")), page="")
    try:
        view = table_services.save_view(
            user=request.user,
            name=request.POST.get("name", ""),
            address=query,
            shared=request.POST.get("shared") == "on",
        )
    except Refused as error:
        return _refused(request, error)
    who = "The whole lab sees it." if view.shared else "Only you see it."
    messages.success(request, f"The view “{view.name}” is saved. {who}")
    return redirect(f"{reverse('runs:list')}?{view.address}")


@require_POST
def delete_view(request: HttpRequest, pk: int) -> HttpResponse:
    view = table_services.delete_view(user=request.user, pk=pk)
    messages.success(request, f"The view “{view.name}” is deleted. The runs are as they were.")
    return redirect("runs:list")


def _table_now(request: HttpRequest) -> dict[str, Any]:
    query = QueryDict(request.POST.get("address", ""))
    try:
        return table_context(request, query, read_table(query, own_columns(request, query)))
    except QueryError:
        return table_context(request, QueryDict(), read_table(QueryDict()))


def _undo(done: Done) -> dict[str, Any]:
    opposite = OPPOSITE.get(done.action) if done.changed else None
    return {
        "done": done,
        "undo": opposite,
        "undo_runs": ",".join(map(str, done.changed)),
    }


def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
    if request.htmx:
        answer = render(request, "runs/_refused.html", {"problem": error}, status=422)
        answer["HX-Retarget"] = ".toasts"
        answer["HX-Reswap"] = "innerHTML"
        return answer
    messages.error(request, str(error))
    return redirect(_back(request))


def _back(request: HttpRequest, **changes: str) -> str:
    query = address(QueryDict(request.POST.get("address", "")), **changes)
    return reverse("runs:list") + (f"?{query}" if query else "")
