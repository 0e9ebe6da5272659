"""What runs show of themselves: searched landscapes, learned data, architectures."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from webapp.accounts.models import Scope
from webapp.api.authentication import needs
from webapp.api.describing import answers, file_of
from webapp.api.problems import FOUND, Problem
from webapp.api.schemas import PictureOut, PictureStepsOut
from webapp.exports.picture_views import file_content
from webapp.runs.models import RunPicture
from webapp.runs.selectors import PictureSteps, picture_for, pictures_of, run_for

router = Router(tags=["pictures"], auth=needs(Scope.READ))
PaperWidth = Annotated[
    Literal["column", "page", "slide"], Query(description="8.5 cm, 17.5 cm or a slide.")
]


@router.get(
    "/runs/{run_id}/pictures",
    response={200: list[PictureStepsOut], **FOUND},
    openapi_extra=answers(200, "pictures"),
)
def pictures(request: HttpRequest, run_id: int) -> list[PictureSteps]:
    """Which pictures a run has, and of which outer steps."""
    return pictures_of(run_for(request.user, run_id))


@router.get(
    "/runs/{run_id}/pictures/{name}/{step}",
    response={200: PictureOut, **FOUND},
    openapi_extra=answers(200, "picture"),
)
def picture(request: HttpRequest, run_id: int, name: str, step: int) -> RunPicture:
    """One picture of a run, as data: `drawing` is as the command line writes it."""
    return picture_for(request.user, run_id, name, step)


@router.get(
    "/runs/{run_id}/pictures/{name}/{step}/png",
    response={422: Problem, **FOUND},
    openapi_extra=file_of({"image/png": "\x89PNG"}),
)
def picture_png(
    request: HttpRequest, run_id: int, name: str, step: int, width: PaperWidth = "column"
) -> HttpResponse:
    """The picture at true size and 300 dpi, with its origin inside."""
    found = picture_for(request.user, run_id, name, step)
    return HttpResponse(file_content(found, "png", width), content_type="image/png")
