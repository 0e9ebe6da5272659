"""A spec written as YAML, or its errors, each with the line and the column that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from engine.spec import FieldError, SpecError, read_text

FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""A long text is read for the second time here, and Python alone takes a second for it."""

IN_MESSAGE = re.compile(r"line (\d+), column (\d+): ")


@dataclass(frozen=True)
class LineError:
    """`line` and `column` count from 1; nothing where the error is about the whole text."""

    line: int | None
    column: int | None
    path: str
    message: str


def read_yaml(text: str) -> tuple[dict[str, Any] | None, list[LineError]]:
    """The experiment that `text` writes, with every default, or the errors of `text`."""
    try:
        return read_text(text).model_dump(mode="json"), []
    except SpecError as error:
        return None, at_lines(text, error.errors)


def at_lines(text: str, errors: Iterable[FieldError]) -> list[LineError]:
    """`errors` with the line of the field, or of the closest one around it that is written."""
    errors = list(errors)
    broken = next((error for error in errors if IN_MESSAGE.match(error.message)), None)
    root = None if broken else _tree(text)
    return [_at_line(error, root) for error in errors]


def _tree(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=FAST_LOADER)
    except (yaml.YAMLError, ValueError):
        return None


def _at_line(error: FieldError, root: yaml.Node | None) -> LineError:
    if match := IN_MESSAGE.match(error.message):
        return LineError(int(match[1]), int(match[2]), "", error.message[match.end() :])
    mark = _place_of(error.path.split("."), root) if root and error.path else None
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    return LineError(line, column, error.path, error.message)


def _place_of(path: list[str], node: yaml.Node) -> yaml.Mark:
    place = node.start_mark
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == part), None)
        elif isinstance(node, yaml.SequenceNode) and part.isdecimal():
            item = dict(enumerate(node.value)).get(int(part))
            pair = item and (item, item)
        else:
            return place
        if not pair:
            return place
        place, node = pair[0].start_mark, pair[1]
    return place
