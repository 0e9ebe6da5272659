"""Changes of a form's structure: another kind, an item of a list added, duplicated or removed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.spec import Experiment
from engine.spec.comments import Path
from engine.spec.editing import edited
from webapp.experiments.form.shapes import Shape, model_of_kind, shapes_of
from webapp.experiments.form.vary import values_to_vary


def restructure(document: dict[str, Any], action: str) -> None:
    """Apply `action` to `document`, in place; an action that does not fit changes nothing.

    `kind:<path>` follows a change of the kind at `path`; `add:<list>:<kind>`, `drop:<list>:<kind>`
    (all of a kind), `duplicate:<list>:<index>` and `remove:<list>:<index>` change a list, which is
    `estimators`, `meta_parameters` or, for remove alone, `sweep`; `edit:<values by path, as JSON>`
    puts values in their places, which are then swept no more; `vary:<path>` adds a field to the
    sweep with values around its own.
    """
    verb, _, rest = action.partition(":")
    name, _, detail = rest.partition(":")
    if verb == "kind":
        _drop_what_the_kind_refuses(document, rest)
        return
    if verb == "edit":
        _edit(document, rest)
        return
    if verb == "vary":
        _vary(document, rest)
        return
    shape = shapes_of(Experiment).get(name)
    if shape is None or name not in document:
        return
    if shape.control == "sweep" and verb == "remove" and detail.isdecimal():
        target = dict(enumerate(document[name])).get(int(detail))
        document[name].pop(target, None)
    elif shape.control == "union_list":
        _change_list(document[name], shape, verb, detail)


def moves(document: dict[str, Any], action: str) -> Callable[[Path], Path | None]:
    """Where each place of `document` will be after `action`; None for what is removed."""
    verb, _, rest = action.partition(":")
    name, _, detail = rest.partition(":")
    items = document.get(name)
    index = int(detail) if detail.isdecimal() else -1
    if not isinstance(items, list):
        return lambda path: path
    kept = [True] * len(items)
    if verb == "remove" and 0 <= index < len(items):
        kept[index] = False
    elif verb == "drop" and any(item.get("kind") != detail for item in items):
        kept = [item.get("kind") != detail for item in items]
    elif verb != "duplicate" or not 0 <= index < len(items):
        return lambda path: path

    def moved(path: Path) -> Path | None:
        if len(path) < 2 or path[0] != name or not isinstance(place := path[1], int):
            return path
        if place < len(kept) and not kept[place]:
            return None
        shift = sum(kept[:place]) - len(kept[:place]) + (verb == "duplicate" and place > index)
        return (name, place + shift, *path[2:])

    return moved


def _edit(document: dict[str, Any], text: str) -> None:
    try:
        edits = json.loads(text)
        changed = edited(document, edits)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return
    swept = changed.get("sweep")
    if isinstance(swept, dict):
        changed["sweep"] = {
            path: values
            for path, values in swept.items()
            if not any(path == place or path.startswith(f"{place}.") for place in edits)
        }
    document.update(changed)


def _vary(document: dict[str, Any], path: str) -> None:
    swept = document.setdefault("sweep", {})
    if isinstance(swept, dict) and path not in swept:
        values = values_to_vary(document, path)
        if len(values) > 1:
            swept[path] = values


def _change_list(items: list[Any], shape: Shape, verb: str, detail: str) -> None:
    model = model_of_kind(shape.models, detail)
    index = int(detail) if detail.isdecimal() else -1
    if verb == "add" and model is not None:
        items.append(model().model_dump(mode="json"))
    elif verb == "drop":
        items[:] = [item for item in items if item.get("kind") != detail] or items
    elif verb == "duplicate" and 0 <= index < len(items):
        items.insert(index + 1, copy.deepcopy(items[index]))
    elif verb == "remove" and 0 <= index < len(items):
        items.pop(index)


def _drop_what_the_kind_refuses(document: Any, path: str) -> None:
    """Two kinds may have fields of one name that take different values: those begin anew."""
    model: type[BaseModel] | None = Experiment
    target = document
    parts = path.split(".")
    while parts and model is not None and isinstance(target, dict):
        name = parts.pop(0)
        shape = shapes_of(model).get(name)
        target = target.get(name)
        if shape is not None and isinstance(target, list) and parts and parts[0].isdecimal():
            target = dict(enumerate(target)).get(int(parts.pop(0)))
        kind = target.get("kind") if isinstance(target, dict) else None
        model = _member(shape, kind) if shape else None
    if model is None or not isinstance(target, dict):
        return
    # Once more after each round: a field may be refused beside a value that takes another's place.
    for _ in range(len(target)):
        try:
            model.model_validate(target)
            return
        except ValidationError as error:
            for refused in error.errors():
                for name in refused["loc"][:1]:
                    target.pop(str(name), None)


def _member(shape: Shape, kind: Any) -> type[BaseModel] | None:
    return shape.models[0] if shape.control == "group" else model_of_kind(shape.models, kind)
