"""A query as a tree. `str` writes it so that parsing gives the same tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Operator = Literal[":", "=", "!=", "<", "<=", ">", ">="]
OPERATORS: tuple[Operator, ...] = (":", "=", "!=", "<", "<=", ">", ">=")
KEYWORDS = ("and", "or", "not")

_PLAIN_WORD = re.compile(r"""[^\s()":<>=!,]+""")
_PLAIN_VALUE = re.compile(r"""[^\s()",:<>=!][^\s()",]*""")


@dataclass(frozen=True)
class Word:
    """Text to be found in a run's label, its experiment's name or its owner."""

    text: str

    def __str__(self) -> str:
        is_plain = _PLAIN_WORD.fullmatch(self.text) and self.text.lower() not in KEYWORDS
        return self.text if is_plain else quoted(self.text)


@dataclass(frozen=True)
class Comparison:
    """`field:value` or `field<value`; several values mean any of them."""

    field: str
    operator: Operator
    values: tuple[str, ...]
    column: int = field(default=1, compare=False)
    value_columns: tuple[int, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{','.join(map(value_text, self.values))}"

    def column_of(self, index: int) -> int:
        return self.value_columns[index] if index < len(self.value_columns) else self.column


@dataclass(frozen=True)
class Not:
    of: Node

    def __str__(self) -> str:
        return f"NOT {_inside(self.of)}"


@dataclass(frozen=True)
class And:
    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(map(_inside, self.parts))


@dataclass(frozen=True)
class Or:
    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(map(_inside, self.parts))


Node = Word | Comparison | Not | And | Or


def both(*parts: Node) -> Node:
    """All of `parts`; one alone is itself, and an And among them is no level of its own."""
    flat = tuple(leaf for part in parts for leaf in (part.parts if type(part) is And else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def either(*parts: Node) -> Node:
    """Any of `parts`, flat as `both` is."""
    flat = tuple(leaf for part in parts for leaf in (part.parts if type(part) is Or else (part,)))
    return flat[0] if len(flat) == 1 else Or(flat)


def leaves(node: Node) -> Iterator[Word | Comparison]:
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Not(of):
            yield from leaves(of)
        case leaf:
            yield leaf


def mentions(node: Node | None, name: str) -> bool:
    """Whether the query speaks of the field `name` anywhere."""
    found = leaves(node) if node else ()
    return any(isinstance(leaf, Comparison) and leaf.field.lower() == name for leaf in found)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def value_text(text: str) -> str:
    """`text` as a value is written: in quotes where it must be."""
    return text if _PLAIN_VALUE.fullmatch(text) else quoted(text)


def _inside(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)
