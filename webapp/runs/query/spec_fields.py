"""The fields that a run's spec can have, by the paths of `webapp.runs.spec_values`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel

from engine.spec import Experiment
from webapp.experiments.form.shapes import shapes_of
from webapp.runs.spec_values import NOT_OF_A_RUN


@dataclass(frozen=True)
class SpecField:
    path: str
    is_number: bool
    choices: tuple[str, ...] = ()
    help: str = ""


@cache
def spec_fields() -> dict[str, SpecField]:
    """Every field that some spec can have; a choice has what any of its owners can take."""
    found: dict[str, SpecField] = {}
    for field in _fields(Experiment, ""):
        known = found.get(field.path, field)
        found[field.path] = SpecField(
            path=field.path,
            is_number=known.is_number or field.is_number,
            choices=tuple(dict.fromkeys((*known.choices, *field.choices))),
            help=known.help or field.help,
        )
    return found


def _fields(model: type[BaseModel], prefix: str) -> Iterator[SpecField]:
    for name, shape in shapes_of(model).items():
        if not prefix and name in NOT_OF_A_RUN:
            continue
        path = f"{prefix}{'estimator' if name == 'estimators' else name}"
        for member in shape.models:
            yield from _fields(member, f"{path}.")
        if len(shape.models) > 1:
            kinds = tuple(str(member.model_fields["kind"].default) for member in shape.models)
            yield SpecField(f"{path}.kind", is_number=False, choices=kinds)
        if shape.is_leaf:
            yield SpecField(
                path=path,
                is_number=shape.control in ("integer", "number", "integers"),
                choices=("yes", "no") if shape.control == "switch" else shape.choices,
                help=(model.model_fields[name].description or "").strip(),
            )
