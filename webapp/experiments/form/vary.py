"""Values for a sweep that a field can take, around the one that it has: what "Vary" adds."""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel

from engine.spec import Experiment, SpecError, validate
from engine.spec.editing import edited, value_at
from webapp.experiments.form.shapes import Shape, model_of_kind, shapes_of

VARIED = ("integer", "number", "choice", "switch")
"""Controls whose field can be varied by one click."""
MOST_VALUES = 5
_FACTORS = {"integer": (0.25, 0.5, 1.0, 2.0, 4.0), "number": (0.1, 0.3, 1.0, 3.0, 10.0)}
_FROM_ZERO = {"integer": (0, 1, 2, 4), "number": (0.0, 0.01, 0.1, 1.0)}
_DIGITS = 6
_LARGEST = 1e15
"""Beyond it no field has a use for other sizes."""


def values_to_vary(document: dict[str, Any], path: str) -> list[Any]:
    """At most `MOST_VALUES` for the field at `path`, its own among them, that the rest of
    `document` allows; none where it is no field of one value."""
    shape = _shape_at(document, path)
    if shape is None or shape.control not in VARIED:
        return []
    own = value_at(document, path)
    offered = _around(own, shape)
    fitting = [value for value in offered if _is_valid(document, path, value)]
    # In a document that is wrong elsewhere no value is right: its errors say so.
    return (fitting if own in fitting else offered)[:MOST_VALUES]


def _around(own: Any, shape: Shape) -> list[Any]:
    if shape.control == "switch":
        return [False, True]
    if shape.control == "choice":
        return [own, *(choice for choice in shape.choices if choice != own)]
    if own is None:
        return [None, *_FROM_ZERO[shape.control][1:]]
    if not isinstance(own, int | float) or not abs(own) < _LARGEST:
        return []
    if own == 0:
        return list(_FROM_ZERO[shape.control])
    scaled = (own * factor for factor in _FACTORS[shape.control])
    return list(dict.fromkeys(_rounded(value, shape) for value in scaled))


def _rounded(value: float, shape: Shape) -> int | float:
    if shape.control == "integer":
        return round(value) or int(math.copysign(1, value))
    return float(f"{value:.{_DIGITS}g}")


def _is_valid(document: dict[str, Any], path: str, value: Any) -> bool:
    try:
        validate(edited(document, {path: value}))
    except SpecError:
        return False
    return True


def _shape_at(document: dict[str, Any], path: str) -> Shape | None:
    """The shape of the field at `path`, by the kinds that are chosen on the way to it."""
    models: tuple[type[BaseModel], ...] = (Experiment,)
    value: Any = document
    shape: Shape | None = None
    for part in path.split("."):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
            continue
        if not isinstance(value, dict) or part not in value:
            return None
        model = models[0] if len(models) == 1 else model_of_kind(models, value.get("kind"))
        shape = shapes_of(model).get(part) if model else None
        if shape is None:
            return None
        value, models = value[part], shape.models
    return shape
