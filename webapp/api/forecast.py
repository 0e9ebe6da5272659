"""`POST /api/v1/forecast`: what an experiment will need, before it is launched."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from webapp.accounts.models import Scope
from webapp.api.authentication import needs
from webapp.api.bodies import read_experiment
from webapp.api.describing import answers
from webapp.api.problems import CHECKED, Problem, problem
from webapp.api.schemas import SPEC_BODY, Detail
from webapp.forecasts import services
from webapp.forecasts.document import ForecastDocument, document_of

router = Router(tags=["experiments"], auth=needs(Scope.READ))


@router.post(
    "/forecast",
    response={200: ForecastDocument, 202: Detail, 503: Problem, 415: Problem, **CHECKED},
    openapi_extra=SPEC_BODY | answers(200, "forecast"),
)
def forecast(
    request: HttpRequest,
    seconds: Annotated[
        float, Query(ge=0.0, le=30.0, description="How long to wait for a complete answer.")
    ] = 10.0,
) -> Status | HttpResponse:
    """Memory, time, whether it fits, what would make it fit, and advice, for the spec in the body.

    Waits for up to `seconds` for a complete answer. 202 says that none is there yet, and 503 that
    none will come; a 200 whose `complete` is false has fixes and advice still to come.
    """
    outlook = services.asked_and_waited_for(read_experiment(request), seconds)
    if outlook.answer is not None:
        return Status(200, document_of(outlook))
    if outlook.error:
        return problem(503, f"There is no forecast: {outlook.error}")
    if outlook.state in ("slow", "untried") or not services.worker_is_there():
        return problem(503, "There is no forecast: no forecast worker has answered.")
    return Status(202, {"detail": "The forecast is on its way; ask again."})
