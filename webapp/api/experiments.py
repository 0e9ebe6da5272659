"""Experiments: check one, launch it, look it up, list and rename them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Status

from engine.presets import PRESETS
from engine.spec import FieldError, SpecError
from webapp.accounts.models import Scope
from webapp.api.authentication import needs, require_reach
from webapp.api.bodies import read_experiment
from webapp.api.describing import answers
from webapp.api.paging import CURSOR, LIMIT, newest_first
from webapp.api.problems import CHECKED, FOUND, Problem
from webapp.api.schemas import (
    SPEC_BODY,
    ExperimentOut,
    ExperimentsPage,
    NewName,
    Validated,
)
from webapp.experiments import draft, services
from webapp.experiments.models import Experiment
from webapp.experiments.selectors import experiment_for, visible_experiments
from webapp.scheduling.priorities import priority_called

router = Router(tags=["experiments"], auth=needs(Scope.READ))


@router.get(
    "/experiments",
    response={200: ExperimentsPage, **CHECKED},
    openapi_extra=answers(200, "experiments"),
)
def experiments(
    request: HttpRequest,
    owner: Annotated[str, Query(description="Username of who launched them.")] = "",
    text: Annotated[str, Query(description="A part of the name.", max_length=200)] = "",
    cursor: CURSOR = None,
    limit: LIMIT = 50,
) -> dict[str, Any]:
    """The experiments of the lab, newest first, without their specs and runs.

    Give `next` as `cursor` for those that follow; it is null at the end.
    """
    found = visible_experiments(request.user)
    if owner:
        found = found.filter(owner__username=owner.replace("\x00", ""))
    if text:
        found = found.filter(name__icontains=text.replace("\x00", ""))
    items, following = newest_first(found, cursor, limit)
    return {"experiments": items, "next": following}


@router.post(
    "/experiments",
    auth=needs(Scope.LAUNCH),
    response={201: ExperimentOut, 415: Problem, **CHECKED},
    openapi_extra=SPEC_BODY | answers(201, "experiment"),
)
def launch(
    request: HttpRequest,
    preset: Annotated[str, Query(description="Slug of the preset that it comes from.")] = "",
    insist: Annotated[
        bool, Query(description="Launch it although it will not fit: it waits for a larger worker.")
    ] = False,
    priority: Annotated[
        str, Query(description="low or normal; an admin of the lab may give high, too.")
    ] = "normal",
    spread: Annotated[
        Literal["auto", "off"],
        Query(
            description="Whether idle workers share a run's populations, chunk by chunk: no figure "
            "changes. One that is a single chunk stays with its worker."
        ),
    ] = "auto",
) -> Status:
    """Launch the experiment in the body: a spec in JSON or YAML. `GET schema` describes it.

    One that will not fit the workers' memory is refused, with what would fit, unless you `insist`:
    then it waits for a larger worker. One past your quota of queued runs is refused.
    """
    if preset and preset not in {known.slug for known in PRESETS}:
        raise SpecError([FieldError("preset", preset, "no preset has this slug")])
    experiment = services.create_experiment(
        owner=request.user,
        experiment=read_experiment(request),
        preset=preset,
        insist=insist,
        priority=priority_called(priority),
        spread=spread == "auto",
    )
    return Status(201, experiment)


@router.post(
    "/experiments/validate",
    response={200: Validated, 415: Problem, **CHECKED},
    openapi_extra=SPEC_BODY | answers(200, "validated"),
)
def validate(request: HttpRequest) -> dict[str, Any]:
    """The spec in the body with every default written out, and how much it would run.

    Nothing is launched. A spec that cannot be run is refused as the launch would refuse it.
    """
    examined = draft.examine(read_experiment(request).model_dump(mode="json"))
    if examined.errors:
        raise SpecError(examined.errors)
    return {
        "spec": examined.document,
        "runs": len(examined.runs),
        "inner_steps": examined.inner_steps,
        "meta_parameter_counts": examined.meta_parameter_counts,
    }


@router.get(
    "/experiments/{experiment_id}",
    response={200: ExperimentOut, **FOUND},
    openapi_extra=answers(200, "experiment"),
)
def experiment(request: HttpRequest, experiment_id: int) -> Experiment:
    """One experiment with its spec and all of its runs."""
    return experiment_for(request.user, experiment_id)


@router.patch(
    "/experiments/{experiment_id}",
    auth=needs(Scope.LAUNCH),
    response={200: ExperimentOut, 422: Problem, **FOUND},
    openapi_extra=answers(200, "experiment"),
)
def rename(request: HttpRequest, experiment_id: int, change: NewName) -> Experiment:
    """Give an experiment of yours another name; an admin of the lab may rename any."""
    found = experiment_for(request.user, experiment_id)
    require_reach(request, found)
    return services.rename(user=request.user, experiment=found, name=change.name)
