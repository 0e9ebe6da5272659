"""What the API answers with; every field is named as in the model that it comes from."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from ninja import Schema

from webapp.experiments.models import Experiment
from webapp.runs.models import Run, RunPicture

SPEC_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/yaml": {"schema": {"type": "string"}},
        },
    }
}
"""How the schema of the API describes a body that is a spec."""
_BOUND = {"type": ["number", "null"]}
BUDGET_BODY = {
    "requestBody": {
        "required": False,
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": {"seconds": _BOUND, "bytes": _BOUND}},
                "example": {"seconds": 1200, "bytes": None},
            }
        },
    }
}


class Detail(Schema):
    """What a sentence says of an answer that is on its way."""

    detail: str


class RunOut(Schema):
    """A run. Non-finite figures of the summary are the strings "nan", "inf" and "-inf"."""

    id: int
    experiment: int
    experiment_name: str
    owner: str
    number: int
    label: str
    name: str
    """What people call it; empty where its label says enough."""
    tags: list[str]
    archived_at: datetime | None
    configuration: str
    estimator: str
    seed: int
    sweep: dict[str, Any]
    colour: int
    queue: str
    priority: str
    """Where it stands in line: low, normal or high; first or last where an admin put it there."""
    status: str
    attempt: int
    worker: str
    cancel_requested: bool
    pause_requested: bool
    checkpoint_step: int | None
    step: int
    total_steps: int
    sequence: int
    picture_changes: int
    error: str
    summary: dict[str, float | Literal["nan", "inf", "-inf"] | None]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @staticmethod
    def resolve_experiment(run: Run) -> int:
        return run.experiment_id

    @staticmethod
    def resolve_experiment_name(run: Run) -> str:
        return run.experiment.name

    @staticmethod
    def resolve_priority(run: Run) -> str:
        return run.get_priority_display().lower()

    @staticmethod
    def resolve_owner(run: Run) -> str:
        return run.experiment.owner.get_username()

    @staticmethod
    def resolve_tags(run: Run) -> list[str]:
        return [tag.name for tag in run.tags.all()]


class RunWithSpec(RunOut):
    spec: dict[str, Any]


class RunsPage(Schema):
    """A page of a sorted table, or, after a `cursor`, the runs that follow without a count.

    The table goes as far as that of the page of runs: `count` and `pages` are of its rows.
    """

    count: int | None
    page: int | None
    pages: int | None
    next: int | None
    runs: list[RunOut]


class EventOut(Schema):
    id: int
    attempt: int
    step: int
    kind: str
    level: str
    message: str
    at: datetime


class EventsPage(Schema):
    events: list[EventOut]
    next: int | None


class ExperimentHead(Schema):
    id: int
    name: str
    owner: str
    preset: str
    parent: int | None
    code_version: str
    created_at: datetime

    @staticmethod
    def resolve_owner(experiment: Experiment) -> str:
        return experiment.owner.get_username()

    @staticmethod
    def resolve_parent(experiment: Experiment) -> int | None:
        return experiment.parent_id


class ExperimentLine(ExperimentHead):
    """An experiment of a list, with how many runs it has and how many of them have ended."""

    run_count: int
    ended_count: int


class ExperimentsPage(Schema):
    experiments: list[ExperimentLine]
    next: int | None


class ExperimentOut(ExperimentHead):
    spec: dict[str, Any]
    runs: list[RunOut]

    @staticmethod
    def resolve_runs(experiment: Experiment) -> list[Run]:
        runs = experiment.runs.select_related("experiment__owner").prefetch_related("tags")
        return list(runs.order_by("number"))


class Validated(Schema):
    """A spec with every default written out, and what a launch would run."""

    spec: dict[str, Any]
    runs: int
    inner_steps: int
    """Of all runs together, without those of the probes."""
    meta_parameter_counts: list[int]
    """How many numbers are learned; several where the sweep changes it."""


class NewName(Schema):
    name: str


class NewPriority(Schema):
    priority: str


class PictureStepsOut(Schema):
    """One picture of a run, and the outer steps of which it is kept."""

    name: str
    title: str
    kind: str
    steps: list[int]
    left_out: int
    """Thinned out between those kept."""


class PictureOut(Schema):
    """A picture; `drawing` is as `engine.pictures` describes it."""

    run: int
    step: int
    name: str
    title: str
    drawing: dict[str, Any]

    @staticmethod
    def resolve_run(picture: RunPicture) -> int:
        return picture.run_id

    @staticmethod
    def resolve_drawing(picture: RunPicture) -> dict[str, Any]:
        return json.loads(picture.drawing)
