"""Errors of a spec written as YAML, each with the line that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from engine.spec import FieldError

IN_MESSAGE = re.compile(r"line (\d+), column \d+: ")


@dataclass(frozen=True)
class LineError:
    line: int | None
    path: str
    message: str


def at_lines(text: str, errors: Iterable[FieldError]) -> list[LineError]:
    """`errors` with the line of the field, or of the closest one around it that is written."""
    errors = list(errors)
    broken = next((error for error in errors if IN_MESSAGE.match(error.message)), None)
    root = None if broken else _tree(text)
    return [_at_line(error, root) for error in errors]


def _tree(text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError):
        return None


def _at_line(error: FieldError, root: yaml.Node | None) -> LineError:
    if match := IN_MESSAGE.match(error.message):
        return LineError(int(match[1]), "", error.message[match.end() :])
    line = _line_of(error.path.split("."), root) if root and error.path else None
    return LineError(line, error.path, error.message)


def _line_of(path: list[str], node: yaml.Node) -> int:
    line = node.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == part), None)
        elif isinstance(node, yaml.SequenceNode) and part.isdecimal():
            item = dict(enumerate(node.value)).get(int(part))
            pair = item and (item, item)
        else:
            return line
        if not pair:
            return line
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line
