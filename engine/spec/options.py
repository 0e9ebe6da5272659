"""The base of every model in a spec, and how a field is described to the form and the docs."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Options(BaseModel):
    """Strict and closed: an unknown field or a value of another type is an error, never a guess."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    def options(self) -> dict[str, Any]:
        """The fields without the tag, as keyword arguments for the class that `kind` names."""
        return {name: value for name, value in self if name != "kind"}


class Part(Options):
    """Options of what a `kind` names: an inner task, a meta-parameter, an estimator or a search."""

    title: ClassVar[str]
    implementation: ClassVar[str]
    """The class that does it, as `package.module:Class`; only the engine imports it."""
    small: ClassVar[dict[str, Any]] = {}
    """The options that make it small and smooth, beside the defaults: with these it stands in the
    support matrix (`engine.support`), and its derivatives are tested."""
    surroundings: ClassVar[tuple[dict[str, Any], ...]] = ({},)
    """What else its small experiment may say, such as `{"inner": {"optimizer": {"kind": "adam"}}}`,
    in the order of trying: the support matrix takes the first with which all parts can work."""


def option(default: Any = ..., *, unit: str = "", **constraints: Any) -> Any:
    """A field with its unit, range and default: the form, the validation and the docs read it."""
    extra = {"unit": unit} if unit else None
    return Field(default, json_schema_extra=extra, **constraints)
