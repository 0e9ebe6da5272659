"""Rows of the database as JSON and back: every field that a model has, by its name.

A field that a model gains is exported from then on without a word here. Relations are the callers'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Field, Model
from django.utils.duration import duration_iso_string

Row = dict[str, Any]
AnyModel = TypeVar("AnyModel", bound=Model)


class TransferError(Exception):
    """What cannot be exported or imported; the text is for people."""


def fields_of(model: type[Model], leave_out: Iterable[str] = ()) -> list[Field]:
    """The fields of `model` that hold values of their own: no key, no relation, nothing that the
    database makes itself."""
    return [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.is_relation or field.generated)
        and field.name not in leave_out
    ]


def row_of(instance: Model, leave_out: Iterable[str] = ()) -> Row:
    """The values of `instance` as JSON has them; moments and durations as ISO 8601."""
    return {
        field.name: _plain(field.value_from_object(instance))
        for field in fields_of(type(instance), leave_out)
    }


def instance_of(
    model: type[AnyModel], row: Mapping[str, Any], leave_out: Iterable[str] = (), **relations: Any
) -> AnyModel:
    """The unsaved instance that `row_of` gave; a field that `row` lacks has its default.

    Raises `TransferError` for a field that this lab does not know, or a value that it cannot have.
    """
    fields = {field.name: field for field in fields_of(model, leave_out)}
    values = {}
    for name, value in row.items():
        if name not in fields:
            raise TransferError(
                f"{model._meta.verbose_name}: {name!r} is not known here; "
                "is the export of a newer version of the lab?"
            )
        try:
            values[name] = None if value is None else fields[name].to_python(value)
        except (ValidationError, TypeError, ValueError):
            raise TransferError(
                f"{model._meta.verbose_name}: {name} cannot be {value!r:.80}."
            ) from None
    return model(**values, **relations)


def keep(instance: Model) -> None:
    """Insert `instance` with the moments that it has, those that are set at a creation too."""
    instance.save_base(raw=True, force_insert=True)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_iso_string(value)
    return value
