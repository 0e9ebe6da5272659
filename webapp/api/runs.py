"""Runs: the table, one of them, its log, and what may be done with it."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from webapp.accounts.models import Scope
from webapp.api.authentication import needs, require_reach
from webapp.api.bodies import read_budget
from webapp.api.describing import answers
from webapp.api.paging import CURSOR, LIMIT, newest_first, oldest_first
from webapp.api.problems import CHECKED, FOUND, Problem
from webapp.api.schemas import BUDGET_BODY, EventsPage, NewPriority, RunOut, RunsPage, RunWithSpec
from webapp.runs import pausing, services
from webapp.runs.models import Run, RunEvent
from webapp.runs.selectors import run_for
from webapp.runs.table import RunsQuery, matching_runs, runs_page
from webapp.scheduling.priorities import priority_called, set_priority

router = Router(tags=["runs"], auth=needs(Scope.READ))
change = {"auth": needs(Scope.LAUNCH), "openapi_extra": answers(200, "run")}


@router.get("/runs", response={200: RunsPage, **CHECKED}, openapi_extra=answers(200, "runs"))
def runs(
    request: HttpRequest,
    q: Annotated[
        str,
        Query(
            description="A query as the table of runs takes it: words, fields and comparisons.",
            examples=["estimator:truncated AND bias<0.1"],
        ),
    ] = "",
    text: Annotated[str, Query(description="The former name of `q`.", deprecated=True)] = "",
    status: Annotated[
        list[str], Query(description="One or several; any of them.", examples=[["finished"]])
    ] = [],  # noqa: B006 (ninja reads it, nobody writes it)
    estimator: Annotated[
        list[str], Query(description="Kinds of estimators; any of them.", examples=[["truncated"]])
    ] = [],  # noqa: B006
    owner: Annotated[str, Query(description="Username of who launched them.")] = "",
    experiment: Annotated[int | None, Query(description="Id of the experiment.")] = None,
    sort: Annotated[
        str, Query(description="A column of the table; with a leading minus from large to small.")
    ] = "-created",
    page: Annotated[int, Query(description="A page of the sorted table, from 1.")] = 1,
    size: Annotated[
        int, Query(description="Runs on a page: 25, 50, 100 or 200; `count` says how many match.")
    ] = 50,
    cursor: CURSOR = None,
) -> dict[str, Any]:
    """The runs of the lab, filtered as on the page of runs.

    A table that is sorted goes by `page`. To walk through all runs, newest first, give `next` as
    `cursor` for those that follow: then nothing is counted, and nothing comes twice.
    """
    query = RunsQuery(
        text=q or text,
        status=tuple(status),
        estimator=tuple(estimator),
        owner=owner,
        experiment=experiment,
        sort=sort,
        page=page,
        size=size,
    )
    if cursor is not None:
        rows = matching_runs(request.user, query).prefetch_related("tags").defer("spec")
        found, following = newest_first(rows, cursor, size)
        return {"count": None, "page": None, "pages": None, "next": following, "runs": found}
    table = runs_page(request.user, query, with_specs=False)
    rows = list(table.object_list)
    more = table.has_next() or table.paginator.is_cut
    return {
        "count": table.paginator.count,
        "page": table.number,
        "pages": table.paginator.num_pages,
        "next": rows[-1].pk if sort == "-created" and more else None,
        "runs": rows,
    }


@router.get(
    "/runs/{run_id}",
    response={200: RunWithSpec, **FOUND},
    openapi_extra=answers(200, "run_with_spec"),
)
def run(request: HttpRequest, run_id: int) -> Run:
    """One run with its spec: where it stands, and the figures that its points condense to."""
    return run_for(request.user, run_id)


@router.get(
    "/runs/{run_id}/events",
    response={200: EventsPage, 422: Problem, **FOUND},
    openapi_extra=answers(200, "events"),
)
def events(
    request: HttpRequest,
    run_id: int,
    level: Annotated[list[RunEvent.Level], Query(description="One or several; any of them.")] = [],  # noqa: B006
    kind: Annotated[
        list[RunEvent.Kind],
        Query(description="What the run said itself (log), what happened to it (state)."),
    ] = [],  # noqa: B006
    cursor: CURSOR = None,
    limit: LIMIT = 200,
) -> dict[str, Any]:
    """The log of a run and what happened to it, oldest first.

    Give `next` as `cursor` for the lines that follow; it is null at the end.
    """
    found = run_for(request.user, run_id).events.all()
    if level:
        found = found.filter(level__in=level)
    if kind:
        found = found.filter(kind__in=kind)
    lines, following = oldest_first(found, cursor, limit)
    return {"events": lines, "next": following}


@router.post("/runs/{run_id}/cancel", response={200: RunOut, **FOUND}, **change)
def cancel(request: HttpRequest, run_id: int) -> Run:
    """Cancel a run: one that waits at once, a running one after its outer step.

    The points that it has are kept. A run that has ended stays as it is.
    """
    return services.request_cancel(user=request.user, run=_mine(request, run_id))


@router.post("/runs/{run_id}/pause", response={200: RunOut, **FOUND}, **change)
def pause(request: HttpRequest, run_id: int) -> Run:
    """Pause a run: one that waits at once, a running one after its outer step, at a checkpoint.

    A run that has ended stays as it is.
    """
    return pausing.request_pause(user=request.user, run=_mine(request, run_id))


@router.post("/runs/{run_id}/priority", response={200: RunOut, 422: Problem, **FOUND}, **change)
def priority(request: HttpRequest, run_id: int, change: NewPriority) -> Run:
    """Let a run that waits stand elsewhere in line: low, normal, or high by an admin of the lab.

    A run that a worker has, or that has ended, stays as it is.
    """
    return set_priority(
        user=request.user, run=_mine(request, run_id), priority=priority_called(change.priority)
    )


@router.post(
    "/runs/{run_id}/resume",
    auth=needs(Scope.LAUNCH),
    response={200: RunOut, 409: Problem, 422: Problem, **FOUND},
    openapi_extra=BUDGET_BODY | answers(200, "run"),
)
def resume(request: HttpRequest, run_id: int) -> Run:
    """Queue a paused run again, or one that ended early, from its checkpoint.

    A run that is out of budget needs another one in the body; null there is without bound.
    """
    return pausing.resume(
        user=request.user, run=_mine(request, run_id), budget=read_budget(request)
    )


@router.delete("/runs/{run_id}", auth=needs(Scope.ADMIN), response={204: None, **FOUND})
def delete(request: HttpRequest, run_id: int) -> Status:
    """Delete a run with all of its points, and its experiment with the last one. For ever."""
    services.delete(user=request.user, run=_mine(request, run_id))
    return Status(204, None)


def _mine(request: HttpRequest, run_id: int) -> Run:
    """The run, where the token of `request` reaches it."""
    found = run_for(request.user, run_id)
    require_reach(request, found.experiment)
    return found
