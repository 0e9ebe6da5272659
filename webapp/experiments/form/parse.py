"""From posted fields to a plain document, with types by the spec's models.

What does not parse stays a string, and what is not known stays where it was posted: validation
then refuses both at their path, in the same words as for a YAML file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from engine.spec import Experiment, FieldError
from webapp.experiments.form import sweep_text
from webapp.experiments.form.shapes import Shape, model_of_kind, shapes_of

INTEGER = re.compile(r"[-+]?\d{1,400}", re.ASCII)
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
NOT_OF_THE_SPEC = ("_", "csrfmiddlewaretoken")


@dataclass
class Parsed:
    document: dict[str, Any]
    errors: list[FieldError]
    """What the document itself cannot hold, such as a field that is swept twice."""


def parse_form(posted: Mapping[str, Iterable[str]], *, keep_unknown: bool = True) -> Parsed:
    """The document that the `posted` lists of values describe.

    A field that was not posted is left out, so the spec's default holds. `keep_unknown=False` drops
    what the chosen kinds do not have: the fields of a kind that was just replaced.
    """
    reader = _Reader(
        {
            name: list(values)
            for name, values in posted.items()
            if not name.startswith(NOT_OF_THE_SPEC)
        }
    )
    document = reader.model(Experiment, "")
    if keep_unknown:
        reader.put_back_unknown(document)
    return Parsed(document, reader.errors)


def typed(text: str, shape: Shape) -> Any:
    """`text` as a value of `shape`; itself where it is none."""
    if shape.control in ("choice", "text"):
        return text
    stripped = text.strip()
    if not stripped and shape.optional:
        return None
    if shape.control == "integer":
        return int(stripped) if INTEGER.fullmatch(stripped) else text
    if shape.control == "number":
        return float(stripped) if NUMBER.fullmatch(stripped) else text
    if shape.control == "switch":
        return {"true": True, "false": False}.get(stripped, text)
    items = [item.strip() for item in stripped.split(",")] if stripped else []
    return [int(item) if INTEGER.fullmatch(item) else item for item in items]


class _Reader:
    def __init__(self, values: dict[str, list[str]]) -> None:
        self.values = values
        self.used: set[str] = set()
        self.errors: list[FieldError] = []

    def take(self, path: str) -> str | None:
        """The last value posted for `path`: a ticked box follows its hidden `false`."""
        self.used.add(path)
        values = self.values.get(path)
        return values[-1] if values else None

    def model(self, model: type[BaseModel], prefix: str) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for name, shape in shapes_of(model).items():
            path = f"{prefix}{name}"
            if shape.is_leaf:
                text = self.take(path)
                if text is not None:
                    document[name] = typed(text, shape)
            elif shape.control == "union_list":
                if path in self.values or self.indices(path):
                    document[name] = self.items(shape, path)
            elif shape.control == "sweep":
                document[name] = self.sweep(path)
            elif self.has_below(path):
                document[name] = self.nested(shape, path)
        return document

    def nested(self, shape: Shape, path: str) -> dict[str, Any]:
        """The mapping at `path`; of an unknown kind only the kind is read."""
        if shape.control == "group":
            return self.model(shape.models[0], f"{path}.")
        model = model_of_kind(shape.models, self.take(f"{path}.kind"))
        if model is not None:
            return self.model(model, f"{path}.")
        kind = self.take(f"{path}.kind")
        return {} if kind is None else {"kind": kind}

    def items(self, shape: Shape, path: str) -> list[dict[str, Any]]:
        self.take(path)
        member = Shape("union", shape.models)
        return [self.nested(member, f"{path}.{index}") for index in self.indices(path)]

    def sweep(self, path: str) -> dict[str, Any]:
        swept: dict[str, Any] = {}
        for index in self.indices(path):
            target = (self.take(f"{path}.{index}.field") or "").strip()
            text = (self.take(f"{path}.{index}.values") or "").strip()
            if target in swept:
                message = "this field is varied twice; write all its values in one row"
                self.errors.append(FieldError(f"{path}.{target}", text, message))
            elif target:
                swept[target] = sweep_text.parsed(text)
            elif text:
                message = "choose the field that takes these values"
                self.errors.append(FieldError(path, text, message))
        return swept

    def indices(self, path: str) -> list[int]:
        """The positions posted below `path`, in order."""
        pattern = re.compile(rf"{re.escape(path)}\.(\d{{1,4}})\.", re.ASCII)
        return sorted({int(match[1]) for name in self.values if (match := pattern.match(name))})

    def has_below(self, path: str) -> bool:
        return any(name.startswith(f"{path}.") for name in self.values)

    def put_back_unknown(self, document: dict[str, Any]) -> None:
        for name in self.values.keys() - self.used:
            text = self.values[name][-1]
            if not _insert(document, name.split("."), text):
                self.errors.append(FieldError(name, text, "unknown field"))


def _insert(document: Any, path: list[str], text: str) -> bool:
    """Put `text` at `path`, making the mappings on the way; False where there is no such place."""
    *parents, last = path
    target = document
    for part in parents:
        if isinstance(target, list):
            if not part.isdecimal() or int(part) >= len(target):
                return False
            target = target[int(part)]
        elif isinstance(target, dict):
            target = target.setdefault(part, {})
        else:
            return False
    if not isinstance(target, dict) or last in target:
        return False
    target[last] = text
    return True
