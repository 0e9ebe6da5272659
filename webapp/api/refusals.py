"""Every way in which a request is refused, answered as a problem."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from engine.spec import FieldError, SpecError
from webapp.api.authentication import UnknownToken
from webapp.api.bodies import UnsupportedType
from webapp.api.problems import not_signed_in, problem, refused_fields
from webapp.exports.requests import BadRequest
from webapp.runs.pausing import CannotResume
from webapp.runs.query import QueryError

STATUS = {PermissionDenied: 403, Http404: 404, CannotResume: 409, UnsupportedType: 415}


def answer_refusals(api: NinjaAPI) -> None:
    """Have `api` answer all of them."""
    for kind, status in STATUS.items():
        api.add_exception_handler(kind, _with(status))
    api.add_exception_handler(UnknownToken, lambda _, error: not_signed_in(str(error)))
    api.add_exception_handler(AuthenticationError, lambda *_: not_signed_in())
    api.add_exception_handler(HttpError, lambda _, error: problem(error.status_code, str(error)))
    api.add_exception_handler(SpecError, lambda _, error: refused_fields(error.errors))
    api.add_exception_handler(BadRequest, lambda _, error: refused_query(str(error)))
    api.add_exception_handler(QueryError, _refused_text)
    api.add_exception_handler(ValidationError, _refused_parameters)


def refused_query(sentence: str) -> JsonResponse:
    """422 for a sentence that names the parameter first, as those of figures do: "runs: …"."""
    name, colon, rest = sentence.partition(": ")
    known = bool(colon) and name.isidentifier()
    error = FieldError(name, None, rest) if known else FieldError("", None, sentence)
    return problem(422, sentence, errors=[error])


def _with(status: int):
    return lambda _, error: problem(status, str(error))


def _refused_text(request: HttpRequest, error: QueryError) -> JsonResponse:
    """A query in the language of the table of runs; the message begins with the column."""
    return refused_fields([FieldError("q", request.GET.get("q", ""), str(error))])


def _refused_parameters(request: HttpRequest, error: ValidationError) -> JsonResponse:
    """Parameters in the query or the body, in the shape of a refused spec."""
    return refused_fields(
        [FieldError(_path(item["loc"]), item.get("input"), item["msg"]) for item in error.errors]
    )


def _path(location: tuple[str | int, ...]) -> str:
    """Where a parameter is, dotted: behind "query" or "path"; behind "body" and its own name."""
    start = 2 if location[0] == "body" and len(location) > 2 else 1
    return ".".join(map(str, location[start:]))
