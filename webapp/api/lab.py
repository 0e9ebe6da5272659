"""The lab itself: who I am, which workers live, what waits, and what a spec can say."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

import engine.spec
from engine.presets import PRESETS
from webapp.accounts.models import Scope
from webapp.api.authentication import needs, token_of
from webapp.api.describing import answers
from webapp.api.problems import SIGNED_IN
from webapp.runs.models import Run, Status
from webapp.workers.queue_page import queue_now

router = Router(tags=["lab"], auth=needs(Scope.READ))
MOST_WAITING = 200


class TokenOut(Schema):
    """The token that asks, by its first characters."""

    name: str
    prefix: str
    scopes: list[str]
    expires_at: datetime


class MeOut(Schema):
    username: str
    role: str
    token: TokenOut | None
    """Null for a session, which may do whatever its person may."""


class WorkerOut(Schema):
    name: str
    queues: list[str]
    device: str
    has_gpu: bool
    memory_bytes: int
    slots: int
    runs: list[int]
    """Ids of the runs that it holds."""
    paused: bool
    """Whether an admin has it take no further run."""
    alive: bool
    """Whether its heartbeat is young."""
    heartbeat_at: datetime


class WaitingOut(Schema):
    run: int
    label: str
    owner: str
    queue: str
    position: int
    reason: str
    begins_in: float | None
    """Seconds until a worker has time for it, as forecast; null where nobody knows."""


class QueueOut(Schema):
    """The first runs of each queue, in the order in which workers take them; `count` is of all."""

    count: int
    waiting: list[WaitingOut]


class PresetOut(Schema):
    slug: str
    title: str
    question: str
    text: str


@router.get("/me", response={200: MeOut, **SIGNED_IN}, openapi_extra=answers(200, "me"))
def me(request: HttpRequest) -> dict[str, Any]:
    """Whose session or token this is, and what the token allows."""
    user = request.user
    return {"username": user.get_username(), "role": user.role, "token": token_of(request)}


@router.get(
    "/workers",
    response={200: list[WorkerOut], **SIGNED_IN},
    openapi_extra=answers(200, "workers"),
)
def workers(request: HttpRequest) -> list[dict[str, Any]]:
    """The workers that nobody has forgotten, what they have and which runs they hold."""
    return [
        {
            "name": card.worker.name,
            "queues": card.worker.queues.split(","),
            "device": card.worker.device,
            "has_gpu": card.worker.has_gpu,
            "memory_bytes": card.worker.memory_bytes,
            "slots": card.worker.slots,
            "runs": [held.run.pk for held in card.runs],
            "paused": card.worker.paused,
            "alive": card.is_alive,
            "heartbeat_at": card.worker.heartbeat_at,
        }
        for card in queue_now(most_waiting=0).cards
    ]


@router.get("/queue", response={200: QueueOut, **SIGNED_IN}, openapi_extra=answers(200, "queue"))
def queue(request: HttpRequest) -> dict[str, Any]:
    """The runs that wait, their place, and why they have not begun."""
    return {
        "count": Run.objects.filter(status=Status.QUEUED).count(),
        "waiting": [
            {
                "run": item.run.pk,
                "label": item.run.label,
                "owner": item.run.experiment.owner.get_username(),
                "queue": item.run.queue,
                "position": item.position,
                "reason": item.reason,
                "begins_in": item.begins_in if math.isfinite(item.begins_in) else None,
            }
            for item in queue_now(most_waiting=MOST_WAITING).waiting
        ],
    }


@router.get(
    "/schema",
    response={200: dict[str, Any], **SIGNED_IN},
    openapi_extra=answers(200, "schema"),
)
def schema(request: HttpRequest) -> dict[str, Any]:
    """The JSON schema of a spec."""
    return engine.spec.Experiment.model_json_schema()


@router.get(
    "/presets",
    response={200: list[PresetOut], **SIGNED_IN},
    openapi_extra=answers(200, "presets"),
)
def presets(request: HttpRequest) -> list:
    """Ready experiments that each answer one question; `text` is a spec in YAML."""
    return list(PRESETS)
