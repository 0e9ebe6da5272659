"""Changes of a form's structure: an item of a list added, duplicated or removed."""

from __future__ import annotations

import copy
from typing import Any

from engine.spec import Experiment
from webapp.experiments.form.shapes import model_of_kind, shapes_of


def restructure(document: dict[str, Any], action: str) -> None:
    """Apply `action` to `document`, in place; an action that does not fit changes nothing.

    `add:<list>:<kind>`, `duplicate:<list>:<index>`, `remove:<list>:<index>`, where the list is
    `estimators`, `meta_parameters` or, for remove alone, `sweep`.
    """
    verb, _, rest = action.partition(":")
    name, _, detail = rest.partition(":")
    shape = shapes_of(Experiment).get(name)
    if shape is None or name not in document:
        return
    if verb == "remove" and shape.control == "sweep" and detail.isdecimal():
        target = dict(enumerate(document[name])).get(int(detail))
        document[name].pop(target, None)
    if shape.control != "union_list":
        return
    items: list[Any] = document[name]
    model = model_of_kind(shape.models, detail)
    index = int(detail) if detail.isdecimal() else -1
    if verb == "add" and model is not None:
        items.append(model().model_dump(mode="json"))
    elif verb == "duplicate" and 0 <= index < len(items):
        items.insert(index + 1, copy.deepcopy(items[index]))
    elif verb == "remove" and 0 <= index < len(items):
        items.pop(index)
