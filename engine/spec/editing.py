"""Values of a plain spec by their dotted paths, such as `estimators.1.window`."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any


def assign(document: dict[str, Any], path: str, value: Any) -> None:
    """Put `value` at `path` of `document`, where there is something already.

    Raises `KeyError`, `IndexError`, `ValueError` or `TypeError` where there is no such place.
    """
    *parents, last = path.split(".")
    target: Any = document
    for part in parents:
        target = target[int(part)] if isinstance(target, list) else target[part]
    if isinstance(target, list):
        target[int(last)] = value
    elif last in target:
        target[last] = value
    else:
        raise KeyError(last)


def edited(document: dict[str, Any], edits: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `document` with the value of each path in `edits`; raises as `assign`."""
    changed = copy.deepcopy(document)
    for path, value in edits.items():
        assign(changed, path, value)
    return changed


def value_at(document: dict[str, Any], path: str) -> Any:
    """What is at `path` of `document`; raises as `assign`."""
    value: Any = document
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value
