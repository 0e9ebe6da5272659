"""Reading a request's body, bounded in size: an experiment in JSON or YAML, another budget."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from engine.spec import Experiment, FieldError, SpecError, parse_text, validate
from engine.spec.document import MOST_CHARACTERS

JSON_TYPES = {"application/json"}
YAML_TYPES = {"application/yaml", "application/x-yaml", "text/yaml"}


class UnsupportedType(Exception):
    """The body is of a type that no spec comes in."""

    def __init__(self, given: str) -> None:
        allowed = ", ".join(sorted(JSON_TYPES | YAML_TYPES))
        super().__init__(f"Content-Type is {given or 'missing'}; allowed: {allowed}.")


def read_experiment(request: HttpRequest) -> Experiment:
    """The experiment in the body of `request`, or `SpecError` or `UnsupportedType`."""
    if request.content_type not in JSON_TYPES | YAML_TYPES:
        raise UnsupportedType(request.content_type or "")
    text = _text(request)
    return validate(_from_json(text) if request.content_type in JSON_TYPES else parse_text(text))


def read_budget(request: HttpRequest) -> dict[str, Any] | None:
    """The budget in the body of `request`, which need not have one; `SpecError` where it is no
    object. What it holds is checked where a spec's budget is."""
    if request.content_type not in JSON_TYPES or not request.body.strip():
        return None
    budget = _from_json(_text(request))
    if budget is not None and not isinstance(budget, dict):
        raise SpecError([FieldError("budget", budget, "an object with seconds and bytes, or null")])
    return budget


def _text(request: HttpRequest) -> str:
    try:
        text = request.body.decode("utf-8")
    except RequestDataTooBig:
        raise _refused(f"a spec has at most {MOST_CHARACTERS:,} characters") from None
    except UnicodeDecodeError as error:
        raise _refused(f"not UTF-8 text: byte {error.start + 1} begins no character") from None
    if len(text) > MOST_CHARACTERS:
        raise _refused(f"a spec has at most {MOST_CHARACTERS:,} characters, this has {len(text):,}")
    return text


def _from_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _refused(f"not readable as JSON: {where}: {error.msg}") from None
    except RecursionError:
        raise _refused("not readable as JSON: nested too deeply") from None
    except ValueError as error:
        if isinstance(error, SpecError):
            raise
        raise _refused(f"not readable as JSON: {error}") from None


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _refused(f"the field {twice!r} appears twice")
    return document


def _refused(message: str) -> SpecError:
    return SpecError([FieldError("", None, message)])
