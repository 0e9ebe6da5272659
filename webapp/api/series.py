"""The points of runs: all of them in order, or a long curve in a few hundred buckets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from django.http import HttpRequest, JsonResponse
from ninja import Query, Router, Schema

from webapp.accounts.models import Scope
from webapp.api.authentication import needs
from webapp.api.describing import answers
from webapp.api.problems import FOUND, Problem
from webapp.live.catch_up import Cursor, back_fill
from webapp.runs.reduced import Reduced, reduced
from webapp.runs.selectors import run_for

router = Router(tags=["series"], auth=needs(Scope.READ))


class Points(Schema):
    """Points `first` to `last`: a series name to [outer steps, values]; `sequence` is the newest.

    Ask again with `after=last` until `last` equals `sequence`.
    """

    type: Literal["points"]
    run: int
    attempt: int
    first: int
    last: int
    sequence: int
    status: str
    series: dict[str, tuple[list[int], list[float | Literal["nan", "inf", "-inf"]]]]


class Buckets(Schema):
    """One series. The lists have one entry a bucket, of the buckets that have a point.

    `low`, `high` and `mean` are over the finite values, and null where there is none.
    """

    first_step: list[int]
    """Outer step of the first point in the bucket."""
    last_step: list[int]
    count: list[int]
    """Points in it; `non_finite` of them are nan, inf or -inf."""
    non_finite: list[int]
    low: list[float | None]
    low_step: list[int]
    """Where the lowest value is, so that extremes can be drawn where they are."""
    high: list[float | None]
    high_step: list[int]
    mean: list[float | None]


class ReducedSeries(Schema):
    """`width` outer steps make a bucket; bucket i is that of the steps from i·`width`."""

    run: int
    attempt: int
    sequence: int
    status: str
    width: int
    series: dict[str, Buckets]


@router.get(
    "/runs/{run_id}/series",
    response={200: Points, 422: Problem, **FOUND},
    openapi_extra=answers(200, "points"),
)
def series(
    request: HttpRequest,
    run_id: int,
    after: Annotated[
        int, Query(ge=0, lt=2**31, description="Sequence of the last point that you have.")
    ] = 0,
    attempt: Annotated[
        int, Query(ge=0, lt=2**31, description="The attempt that your points came from.")
    ] = 1,
) -> dict[str, Any]:
    """The points past `after`, as the websocket sends them; drop those past `first` − 1 before.

    A resumed run writes its tail anew, which is why `attempt` is asked for.
    """
    return back_fill(run_for(request.user, run_id), Cursor(sequence=after, attempt=attempt))


@router.get(
    "/runs/{run_id}/series/reduced",
    response={200: ReducedSeries, 422: Problem, **FOUND},
    openapi_extra=answers(200, "reduced"),
)
def reduced_series(
    request: HttpRequest,
    run_id: int,
    buckets: Annotated[int, Query(ge=2, le=5_000, description="How many at most.")] = 800,
    metric: Annotated[
        list[str],
        Query(description="One or several; all of them if none.", examples=[["meta_loss"]]),
    ] = [],  # noqa: B006
    start: Annotated[
        int, Query(alias="from", ge=0, lt=2**31, description="The first outer step.")
    ] = 0,
    end: Annotated[
        int | None,
        Query(alias="to", ge=1, lt=2**31, description="The outer step behind the last one."),
    ] = None,
) -> JsonResponse:
    """A long curve in at most `buckets` pieces, each with its lowest, highest and mean value.

    No extreme is lost, and values that are not finite are counted. Buckets lie on a grid, so that
    those of a running run do not move; the first and the last may reach past `from` and `to`.
    """
    run = run_for(request.user, run_id)
    found = reduced(run, buckets=buckets, names=metric or None, start=start, end=end)
    # Tens of thousands of numbers, made just now: checking each again would take the longest.
    return JsonResponse(
        {
            "run": run.pk,
            "attempt": run.attempt,
            "sequence": run.sequence,
            "status": run.status,
            "width": found.width,
            "series": {name: _buckets(found, name) for name in found.series},
        }
    )


def _buckets(found: Reduced, name: str) -> dict[str, list]:
    cells = found.series[name]
    finite = cells["count"] > cells["non_finite"]
    return {
        "first_step": cells["first"].tolist(),
        "last_step": cells["last"].tolist(),
        **{part: cells[part].tolist() for part in ("count", "non_finite", "low_step", "high_step")},
        **{part: _or_none(cells[part], finite) for part in ("low", "high", "mean")},
    }


def _or_none(values: np.ndarray, known: np.ndarray) -> list[float | None]:
    """`values` for JSON, null where they are not known."""
    numbers = values.tolist()
    for index in np.flatnonzero(~known):
        numbers[index] = None
    return numbers
