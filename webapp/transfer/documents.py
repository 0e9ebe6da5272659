"""What an export says of an experiment: four kinds of documents, the same whatever the server.

They name people by username, an experiment by its owner and launch, a run by its number: keys of
the database mean nothing elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from webapp.accounts.models import User
from webapp.experiments.models import Experiment
from webapp.forecasts.models import LaunchForecast, Prediction
from webapp.runs.models import RunEvent, RunPicture, Status
from webapp.transfer.rows import Row, row_of

PERSON = ("username", "first_name", "last_name", "is_active", "date_joined")
"""What is exported of a person: no password, no address, no role, no token."""
OF_THE_SERVER = (
    *("lease_until", "cancel_requested", "pause_requested"),
    *("priority", "stands_at", "claimed_at", "spread"),
    *("needs_bytes", "forecast_given_up", "expected_seconds"),
)
"""Fields of a run that say something of the server that it is on."""
ROWS_AT_ONCE = 200
PICTURES_AT_ONCE = 10

_GOING = (Status.QUEUED, Status.RUNNING, Status.PAUSED)
NOT_ENDED = "It had not ended when it was exported."


def people() -> Iterator[Row]:
    for person in User.objects.order_by("username").iterator(chunk_size=ROWS_AT_ONCE):
        row = row_of(person)
        yield {name: row[name] for name in PERSON}


def experiment_document(experiment: Experiment) -> Row:
    forecast = LaunchForecast.objects.filter(experiment=experiment).first()
    parent = experiment.parent
    return {
        "id": experiment.pk,
        "owner": experiment.owner.username,
        "parent": parent and [parent.owner.username, parent.created_at.isoformat()],
        **row_of(experiment),
        "forecast": forecast and row_of(forecast),
    }


def run_documents(experiment: Experiment) -> Iterator[Row]:
    """In order of number, which is the first entry."""
    runs = experiment.runs.order_by("number").prefetch_related("tags")
    predictions = Prediction.objects.filter(run__experiment=experiment)
    predicted = {prediction.run_id: prediction for prediction in predictions}
    for run in runs.iterator(chunk_size=ROWS_AT_ONCE):
        prediction = predicted.get(run.pk)
        yield {
            "id": run.pk,
            **row_of(run, OF_THE_SERVER),
            "tags": sorted(tag.name for tag in run.tags.all()),
            "prediction": prediction and row_of(prediction),
        }


def event_documents(experiment: Experiment) -> Iterator[Row]:
    events = RunEvent.objects.filter(run__experiment=experiment).select_related("run")
    for event in events.order_by("run__number", "at", "pk").iterator(chunk_size=ROWS_AT_ONCE):
        yield {"run": event.run.number, **row_of(event)}


def picture_documents(experiment: Experiment) -> Iterator[Row]:
    pictures = RunPicture.objects.filter(run__experiment=experiment).select_related("run")
    for picture in pictures.order_by("run__number", "name", "step").iterator(
        chunk_size=PICTURES_AT_ONCE
    ):
        yield {"run": picture.run.number, **row_of(picture)}


def settled(run: Row, taken_at: str) -> Row:
    """`run` as it is on another server: what had not ended ends with the export, as its worker
    and its checkpoint stay behind."""
    if run["status"] not in _GOING:
        return {**run, "checkpoint_step": None}
    stopped: dict[str, Any] = {
        "status": Status.CANCELLED.value,
        "finished_at": taken_at,
        "error": NOT_ENDED,
        "checkpoint_step": None,
    }
    return {**run, **stopped}


def run_model_fields(run: Row) -> Row:
    """The part of a run's document that is the run's own row."""
    return {name: value for name, value in run.items() if name not in ("id", "tags", "prediction")}
