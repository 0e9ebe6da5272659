"""The HTTP API, version 1: launch experiments, read runs and their series, cancel and delete.

Signed in by session, so that the live pages use it too; unsafe methods need the CSRF token.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Query, Status
from ninja.errors import ValidationError
from ninja.security import django_auth

import engine.spec
from engine.presets import PRESETS
from engine.spec import FieldError, SpecError
from webapp.api.bodies import UnsupportedType, read_experiment
from webapp.api.forecast import router as forecast_router
from webapp.api.schemas import (
    SPEC_BODY,
    Detail,
    ExperimentOut,
    FieldErrors,
    NewName,
    PictureOut,
    PictureStepsOut,
    Points,
    PresetOut,
    RunOut,
    RunsPage,
    RunWithSpec,
)
from webapp.experiments import services as experiment_services
from webapp.experiments.models import Experiment
from webapp.experiments.selectors import experiment_for
from webapp.exports.picture_views import file_content
from webapp.live.catch_up import Cursor, back_fill
from webapp.runs import services
from webapp.runs.models import Run, RunPicture
from webapp.runs.selectors import (
    PictureSteps,
    RunsQuery,
    picture_for,
    pictures_of,
    run_for,
    runs_page,
)

PaperWidth = Literal["column", "page", "slide"]
SIGNED_IN = {401: Detail, 404: Detail}
OWNED = {**SIGNED_IN, 403: Detail}

# Ninja's page for the documentation loads scripts from elsewhere; the schema itself is enough.
api = NinjaAPI(
    title="Meta-optimization lab",
    version="1",
    urls_namespace="api-v1",
    auth=django_auth,
    docs_url=None,
    openapi_url="/openapi.json",
)
api.add_router("", forecast_router)


@api.post(
    "/experiments",
    response={201: ExperimentOut, 415: Detail, 422: FieldErrors, 401: Detail},
    openapi_extra=SPEC_BODY,
)
def launch(request: HttpRequest, preset: str = "", insist: bool = False) -> Status:
    """Launch the experiment in the body: a spec in JSON or YAML. `GET schema` describes it.

    One that will not fit the workers' memory is refused, with what would fit, unless you `insist`.
    """
    if preset and preset not in {known.slug for known in PRESETS}:
        raise SpecError([FieldError("preset", preset, "no preset has this slug")])
    experiment = experiment_services.create_experiment(
        owner=request.user,
        experiment=read_experiment(request),
        preset=preset,
        insist=insist,
    )
    return Status(201, experiment)


@api.get("/experiments/{experiment_id}", response={200: ExperimentOut, **SIGNED_IN})
def experiment(request: HttpRequest, experiment_id: int) -> Experiment:
    return experiment_for(request.user, experiment_id)


@api.patch("/experiments/{experiment_id}", response={200: ExperimentOut, 422: FieldErrors, **OWNED})
def rename(request: HttpRequest, experiment_id: int, change: NewName) -> Experiment:
    return experiment_services.rename(
        user=request.user, experiment=experiment_for(request.user, experiment_id), name=change.name
    )


@api.get("/runs", response={200: RunsPage, 401: Detail})
def runs(
    request: HttpRequest,
    text: str = "",
    status: Annotated[list[str], Query()] = [],  # noqa: B006 (ninja reads it, nobody writes it)
    estimator: Annotated[list[str], Query()] = [],  # noqa: B006
    owner: str = "",
    experiment: int | None = None,
    sort: str = "-created",
    page: int = 1,
    size: int = 50,
) -> dict[str, Any]:
    """The table of runs. `sort` is a column, with a leading minus from large to small."""
    query = RunsQuery(
        text=text,
        status=tuple(status),
        estimator=tuple(estimator),
        owner=owner,
        experiment=experiment,
        sort=sort,
        page=page,
        size=size,
    )
    found = runs_page(request.user, query)
    return {
        "count": found.paginator.count,
        "page": found.number,
        "pages": found.paginator.num_pages,
        "runs": list(found.object_list),
    }


@api.get("/runs/{run_id}", response={200: RunWithSpec, **SIGNED_IN})
def run(request: HttpRequest, run_id: int) -> Run:
    return run_for(request.user, run_id)


@api.get("/runs/{run_id}/series", response={200: Points, **SIGNED_IN})
def series(
    request: HttpRequest,
    run_id: int,
    after: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    attempt: Annotated[int, Query(ge=0, lt=2**31)] = 1,
) -> dict[str, Any]:
    """The points past `after`, as the websocket sends them; drop those past `first` − 1 before.

    `attempt` is the attempt that the points up to `after` came from.
    """
    return back_fill(run_for(request.user, run_id), Cursor(sequence=after, attempt=attempt))


@api.get("/runs/{run_id}/pictures", response={200: list[PictureStepsOut], **SIGNED_IN})
def pictures(request: HttpRequest, run_id: int) -> list[PictureSteps]:
    """Which pictures a run has, and of which outer steps."""
    return pictures_of(run_for(request.user, run_id))


@api.get("/runs/{run_id}/pictures/{name}/{step}", response={200: PictureOut, **SIGNED_IN})
def picture(request: HttpRequest, run_id: int, name: str, step: int) -> RunPicture:
    return picture_for(request.user, run_id, name, step)


@api.get("/runs/{run_id}/pictures/{name}/{step}/png", response={404: Detail, 401: Detail})
def picture_png(
    request: HttpRequest, run_id: int, name: str, step: int, width: PaperWidth = "column"
) -> HttpResponse:
    """The picture at true size and 300 dpi, with its origin inside."""
    found = picture_for(request.user, run_id, name, step)
    return HttpResponse(file_content(found, "png", width), content_type="image/png")


@api.post("/runs/{run_id}/cancel", response={200: RunOut, **OWNED})
def cancel(request: HttpRequest, run_id: int) -> Run:
    """Cancel a queued run at once, a running one after its outer step; an ended one stays."""
    return services.request_cancel(user=request.user, run=run_for(request.user, run_id))


@api.delete("/runs/{run_id}", response={204: None, **OWNED})
def delete(request: HttpRequest, run_id: int) -> Status:
    services.delete(user=request.user, run=run_for(request.user, run_id))
    return Status(204, None)


@api.get("/schema")
def schema(request: HttpRequest) -> dict[str, Any]:
    """The JSON schema of a spec."""
    return engine.spec.Experiment.model_json_schema()


@api.get("/presets", response=list[PresetOut])
def presets(request: HttpRequest) -> list:
    return list(PRESETS)


@api.exception_handler(SpecError)
def refused_spec(request: HttpRequest, error: SpecError) -> HttpResponse:
    return _field_errors(request, error.errors)


@api.exception_handler(ValidationError)
def refused_parameters(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Parameters in the query or the body, in the shape of a refused spec."""
    return _field_errors(
        request,
        [FieldError(str(item["loc"][-1]), item.get("input"), item["msg"]) for item in error.errors],
    )


@api.exception_handler(UnsupportedType)
def refused_type(request: HttpRequest, error: UnsupportedType) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=415)


@api.exception_handler(PermissionDenied)
def forbidden(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=403)


@api.exception_handler(Http404)
def missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return api.create_response(request, {"detail": str(error)}, status=404)


def _field_errors(request: HttpRequest, errors: list[FieldError]) -> HttpResponse:
    body = {"errors": [error.as_dict() for error in errors]}
    return api.create_response(request, body, status=422)
