"""From a plain document to an `Experiment`, with one readable error for each refused field."""

from __future__ import annotations

import difflib
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from engine.spec.errors import FieldError, SpecError
from engine.spec.estimator import Estimator
from engine.spec.experiment import Experiment
from engine.spec.installed import ESTIMATORS

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]

MOST_ERRORS = 100
"""Of one document: nobody reads more, and each is looked up in the text and drawn on a page."""


def validate(document: Any) -> Experiment:
    """The experiment that `document` (a mapping of plain values) describes; `SpecError` if none."""
    if not isinstance(document, dict):
        raise SpecError([FieldError("", document, "a spec is a mapping of fields to values")])
    try:
        return Experiment.model_validate(document)
    except ValidationError as error:
        raise _spec_error(error, Experiment, document) from None


def validate_options(model: type[Model], options: dict[str, Any]) -> Model:
    """The options of one estimator, task, … given as keyword arguments; `SpecError` if refused."""
    try:
        return model.model_validate(options)
    except ValidationError as error:
        raise _spec_error(error, model, options) from None


def validate_estimator(spec: dict[str, Any], *, proposes: bool | None = None) -> Estimator:
    """The options of the estimator or search that `spec` describes; with `proposes`, of a search
    alone (True) or of an estimator of the meta-gradient alone (False). `SpecError` if refused."""
    allowed = {
        kind: model
        for kind, model in ESTIMATORS.items()
        if proposes is None or model.proposes == proposes
    }
    kind = spec.get("kind")
    if kind not in allowed:
        raise SpecError([FieldError("kind", kind, f"unknown kind; allowed: {list(allowed)}")])
    return validate_options(allowed[kind], spec)


def _spec_error(error: ValidationError, model: type[BaseModel], document: Any) -> SpecError:
    items = error.errors(include_url=False)
    found = [_field_errors(item, model, document) for item in items[:MOST_ERRORS]]
    if len(items) > MOST_ERRORS:
        found.append([FieldError("", None, f"and {len(items) - MOST_ERRORS:,} more errors")])
    return SpecError([one for several in found for one in several])


def _field_errors(item: dict[str, Any], model: type[BaseModel], document: Any) -> list[FieldError]:
    """The refusals in `item`: a rule over several fields has named each of them already."""
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, SpecError):
        return cause.errors
    return [_field_error(item, model, document)]


def _field_error(item: dict[str, Any], model: type[BaseModel], document: Any) -> FieldError:
    path = _without_tags(item["loc"], document)
    given = item["input"]
    kind = item["type"]
    context = item.get("ctx", {})
    if kind == "extra_forbidden":
        parent = _model_at(path[:-1], model, document)
        fields = list(parent.model_fields) if parent else []
        message = f"unknown field{_meant(path[-1], fields)}; allowed: {', '.join(fields) or 'none'}"
    elif kind == "union_tag_invalid":
        path, given = (*path, "kind"), context["tag"]
        kinds = [kind.strip(" '") for kind in context["expected_tags"].split(",")]
        message = f"unknown kind{_meant(given, kinds)}; allowed: {context['expected_tags']}"
    elif kind == "union_tag_not_found":
        path, given = (*path, "kind"), None
        message = "the kind is missing"
    elif kind == "value_error":
        message = str(context["error"])
    else:
        message = item["msg"].replace("Input should be", "must be")
        message = message[0].lower() + message[1:]
    return FieldError(".".join(str(part) for part in path), given, message)


def _meant(given: Any, allowed: list[str]) -> str:
    """` (did you mean 'steps'?)` where one of `allowed` is close to what was given."""
    close = difflib.get_close_matches(str(given), allowed, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _without_tags(location: Location, document: Any) -> Location:
    """`location` without the tags that pydantic puts in for the chosen member of a union."""
    path: list[int | str] = []
    value, entered = document, False
    for part in location:
        if entered and isinstance(value, dict) and value.get("kind") == part:
            entered = False
            continue
        path.append(part)
        value, entered = _child(value, part), True
    return tuple(path)


def _child(value: Any, part: int | str) -> Any:
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        return None


def _model_at(path: Location, root: type[BaseModel], document: Any) -> type[BaseModel] | None:
    """The model that validates the mapping at `path` of a document that `root` validates."""
    model: Any = root
    value = document
    for part in path:
        value = _child(value, part)
        if isinstance(part, str):
            model = model.model_fields[part].annotation
        candidates = _models_in(model)
        if isinstance(value, dict) and candidates:
            named = [c for c in candidates if _kind_of(c) == value.get("kind")]
            model = (named or candidates)[0]
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _kind_of(model: type[BaseModel]) -> str | None:
    field = model.model_fields.get("kind")
    return field.default if field else None
