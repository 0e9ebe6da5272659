"""Every field of a spec, explained: read from the schema that the form and the validation read.

A field's place is its path with the kind in the place of a list's index: `outer.steps`,
`inner.optimizer.adam.beta1`, `estimators.truncated.window`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from django.utils.safestring import SafeString
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.spec import Experiment
from webapp.experiments.form import shapes
from webapp.experiments.form.nodes import shown
from webapp.experiments.form.shapes import Shape
from webapp.help.formulas import KINDS
from webapp.help.mathematics import mathml


@dataclass(frozen=True)
class FieldEntry:
    """What the help says of one field."""

    place: str
    name: str
    explanation: str
    unit: str = ""
    allowed: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A group of fields, or a kind with its fields."""

    place: str
    title: str
    about: str = ""
    chapter: str = ""
    """Under which heading of the contents it stands."""
    formulas: tuple[SafeString, ...] = ()
    entries: list[FieldEntry] = field(default_factory=list)


@cache
def sections() -> list[Section]:
    """All of the spec, in its own order; first the fields that stand at its top."""
    top = Section("experiment", "Experiment", (Experiment.__doc__ or ""), "Experiment")
    return [top, *_below(Experiment, top, "")]


@cache
def kinds() -> dict[str, Section]:
    """Every section by its place: those of kinds, and those of groups."""
    return {section.place: section for section in sections()}


@cache
def entries() -> dict[str, FieldEntry]:
    """Every field by its place."""
    return {entry.place: entry for section in sections() for entry in section.entries}


def _below(model: type[BaseModel], section: Section, prefix: str) -> Iterator[Section]:
    """Puts the plain fields of `model` into `section`; yields the sections that follow it."""
    for name, shape in shapes.shapes_of(model).items():
        place = f"{prefix}{name}"
        info = model.model_fields[name]
        if name == "kind":
            continue
        if shape.control == "group":
            title = shapes.label_of(name)
            group = Section(
                place, title, info.description or "", section.chapter if prefix else title
            )
            yield group
            yield from _below(shape.models[0], group, f"{place}.")
        elif shape.control in {"union", "union_list"}:
            yield from _kinds(shape, place, section)
        else:
            section.entries.append(_entry(info, shape, place, name))


def _kinds(shape: Shape, place: str, around: Section) -> Iterator[Section]:
    before, _, name = place.rpartition(".")
    for model in shape.models:
        kind_place = f"{place}.{shapes.kind_of(model)}"
        title = shapes.title_of(model)
        section = Section(
            place=kind_place,
            title=f"{shapes.label_of(name)}: {title}" if before else title,
            about=" ".join((model.__doc__ or "").split()),
            chapter=around.chapter if before else shapes.label_of(name),
            formulas=tuple(mathml(latex) for latex in KINDS.get(kind_place, [])),
        )
        yield section
        yield from _below(model, section, f"{kind_place}.")


def _entry(info: FieldInfo, shape: Shape, place: str, name: str) -> FieldEntry:
    default = info.get_default(call_default_factory=True)
    return FieldEntry(
        place=place,
        name=shapes.label_of(name),
        explanation=info.description or "",
        unit=(info.json_schema_extra or {}).get("unit", ""),
        allowed=shapes.allowed_range(info),
        default=_default(info, shape, default),
        choices=tuple(str(choice) for choice in shape.choices),
    )


def _default(info: FieldInfo, shape: Shape, default: object) -> str:
    if info.is_required():
        return "none: it must be given"
    if shape.control == "sweep" or default in (None, [], {}):
        return "nothing"
    if shape.control == "choice":
        return str(default)
    return shown(default)
