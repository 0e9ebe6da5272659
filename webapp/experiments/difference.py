"""What two specs differ in, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ABSENT = "—"


@dataclass(frozen=True)
class Change:
    path: str
    before: str
    after: str


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """Every field whose value differs, in the order of the spec; a missing one reads as a dash."""
    old, new = dict(_flat(before, "")), dict(_flat(after, ""))
    return [
        Change(path, old.get(path, ABSENT), new.get(path, ABSENT))
        for path in dict.fromkeys([*new, *old])
        if old.get(path) != new.get(path)
    ]


def _flat(value: Any, path: str) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        children = [(f"{path}.{name}" if path else name, item) for name, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        children = [(f"{path}.{index}", item) for index, item in enumerate(value)]
    else:
        return [(path, _text(value))]
    return [pair for name, item in children for pair in _flat(item, name)]


def _text(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list | dict):
        return ", ".join(str(item) for item in value) if value else "none"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
