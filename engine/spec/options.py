"""The base of every model in a spec, and how a field is described to the form and the docs."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Strict and closed: an unknown field or a value of another type is an error, never a guess."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def options(self) -> dict[str, Any]:
        """The fields without the tag, as keyword arguments for the class that `kind` names."""
        return {name: value for name, value in self if name != "kind"}


def option(default: Any = ..., *, unit: str = "", **constraints: Any) -> Any:
    """A field with its unit, range and default: the form, the validation and the docs read it."""
    extra = {"unit": unit} if unit else None
    return Field(default, json_schema_extra=extra, **constraints)
