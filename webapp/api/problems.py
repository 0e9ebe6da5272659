"""What is refused, as problem details (RFC 9457): in a sentence, and field by field."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse
from ninja import Schema

from engine.spec import FieldError

MEDIA_TYPE = "application/problem+json"


class FieldErrorOut(Schema):
    """One refused field: its dotted path, what was given, and a sentence with what is allowed."""

    path: str
    given: str
    message: str


class Problem(Schema):
    """Why a request was refused."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldErrorOut] = []
    """Every refused field; only where the request was not understood (422)."""


SIGNED_IN = {401: Problem, 403: Problem}
"""Not let in; let in by a token without the route's scope, or not this person's to change."""
FOUND = {**SIGNED_IN, 404: Problem}
CHECKED = {**SIGNED_IN, 422: Problem}


def problem(
    status: int, detail: str, *, errors: Sequence[FieldError] = (), headers: dict | None = None
) -> JsonResponse:
    """The answer that says `detail`, and what is wrong with which field."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = [error.as_dict() for error in errors]
    return JsonResponse(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def not_signed_in(detail: str = "Sign in first, or send a token.") -> JsonResponse:
    return problem(401, detail, headers={"WWW-Authenticate": "Bearer"})


def refused_fields(errors: Sequence[FieldError]) -> JsonResponse:
    """422: the first error in a sentence, all of them by field."""
    others = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
    return problem(422, f"{str(errors[0]).rstrip('.')}.{others}", errors=errors)
