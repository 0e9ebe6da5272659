"""`POST /api/v1/forecast`: what an experiment will need, before it is launched."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Status

from webapp.api.bodies import read_experiment
from webapp.api.schemas import SPEC_BODY, Detail, FieldErrors
from webapp.forecasts import services
from webapp.forecasts.document import ForecastDocument, document_of

router = Router()


@router.post(
    "/forecast",
    response={
        200: ForecastDocument, 202: Detail, 503: Detail, 415: Detail, 422: FieldErrors,
        401: Detail,
    },
    openapi_extra=SPEC_BODY,
)  # fmt: skip
def forecast(
    request: HttpRequest, seconds: Annotated[float, Query(ge=0.0, le=30.0)] = 10.0
) -> Status:
    """Memory, time, whether it fits, what would make it fit, and advice, for the spec in the body.

    Waits for up to `seconds` for a complete answer. 202 says that none is there yet, and 503 that
    none will come; a 200 whose `complete` is false has fixes and advice still to come.
    """
    outlook = services.asked_and_waited_for(read_experiment(request), seconds)
    if outlook.answer is not None:
        return Status(200, document_of(outlook))
    if outlook.error:
        return Status(503, {"detail": f"There is no forecast: {outlook.error}"})
    if outlook.state in ("slow", "untried") or not services.worker_is_there():
        return Status(503, {"detail": "There is no forecast: no forecast worker has answered."})
    return Status(202, {"detail": "The forecast is on its way; ask again."})
