"""How a query can go on where somebody types: fields, then comparisons and values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webapp.experiments.models import Experiment
from webapp.runs.query import values
from webapp.runs.query.fields import SHORT_NAMES, Field, fields, find_field
from webapp.runs.query.nodes import value_text
from webapp.runs.table_models import SpecValue, Tag

if TYPE_CHECKING:
    from webapp.accounts.models import User

MOST = 12
_FIELD_HERE = re.compile(r"[A-Za-z_][\w.\-\[\]]*$|$")
_VALUE_HERE = re.compile(
    r'([A-Za-z_][\w.\-\[\]]*)\s*(:|=|!=|<=?|>=?)\s*(?:(?:"(?:\\.|[^"\\])*"|[^\s()",]+),)*'
    r'("(?:\\.|[^"\\])*|[^\s()",:<>=!][^\s()",]*|)$'
)
_OPEN_QUOTE = re.compile(r'^(?:[^"]|"(?:\\.|[^"\\])*")*"(?:\\.|[^"\\])*$')
_FIRST = ("status", "estimator", "task", "tag", "owner", "name", "preset", "horizon", "meta_loss",
          "bias_relative", "age", "seed")  # fmt: skip
"""What is offered before anything is typed."""


@dataclass(frozen=True)
class Completion:
    text: str
    """What stands in the query afterwards, in place of `Completions.start` to the cursor."""
    label: str
    help: str = ""


@dataclass(frozen=True)
class Completions:
    start: int
    """Where the piece under the cursor begins, from 0."""
    items: tuple[Completion, ...]


def completions(text: str, cursor: int, user: User) -> Completions:
    """At most `MOST` ways to go on from `cursor`, characters into `text`; one query at most."""
    before = text[: max(0, cursor)]
    if found := _VALUE_HERE.search(before):
        name, operator, begun = found.groups()
        field = find_field(name)
        items = _values(field, operator, begun, user) if field else ()
        return Completions(found.start(3), tuple(items))
    if _OPEN_QUOTE.match(before):
        return Completions(len(before), ())
    found = _FIELD_HERE.search(before)
    start = found.start() if found else len(before)
    return Completions(start, tuple(_fields(before[start:], before[:start])))


def _fields(begun: str, before: str) -> Iterator[Completion]:
    known = fields()
    if not begun:
        offered = [known[name] for name in _FIRST]
    else:
        offered = sorted(
            (field for field in known.values() if begun.lower() in field.name.lower()),
            key=lambda field: (not field.name.startswith(begun.lower()), "." in field.name),
        )
    if before.strip() and not re.search(r"(\b(and|or|not)|\()\s*$", before, re.IGNORECASE):
        for word, meaning in (("AND", "both hold"), ("OR", "one of them holds")):
            if word.startswith(begun.upper()):
                yield Completion(f"{word} ", word, meaning)
    for field in offered[:MOST]:
        default = ":" if not field.is_ordered or field.kind in ("moment", "number") else "<"
        yield Completion(f"{field.name}{default}", field.name, _help(field))


def _help(field: Field) -> str:
    if field.name in SHORT_NAMES:
        return f"{SHORT_NAMES[field.name]} of its spec"
    return field.help.partition(". ")[0].rstrip(".")


def _values(field: Field, operator: str, begun: str, user: User) -> Iterator[Completion]:
    begun = begun.removeprefix('"').replace('\\"', '"').lower()
    if operator not in (":", "=", "!="):
        yield from _examples(field)
        return
    offered = [word for word in _offered(field, begun, user) if begun in word.lower()]
    offered.sort(key=lambda word: not word.lower().startswith(begun))
    if not offered and not begun:
        yield from _examples(field)
    for word in offered[:MOST]:
        yield Completion(f"{value_text(word)} ", word)


def _offered(field: Field, begun: str, user: User) -> Iterable[str]:
    match field.kind:
        case "tag":
            return Tag.objects.filter(name__icontains=begun).values_list("name", flat=True)[:MOST]
        case "person":
            owners = Experiment.objects.filter(owner__username__icontains=begun)
            names = owners.order_by("owner__username").values_list("owner__username", flat=True)
            return ["me", *names.distinct()[:MOST]]
        case "spec":
            found = SpecValue.objects.filter(path=field.source, text__icontains=begun)
            return found.order_by("number", "text").values_list("text", flat=True)[:MOST]
        case "name":
            named = Experiment.objects.filter(name__icontains=begun).order_by("name")
            return named.values_list("name", flat=True).distinct()[:MOST]
        case "moment":
            return ["today", "yesterday", values.NONE]
        case _:
            return list(field.choices())


def _examples(field: Field) -> Iterator[Completion]:
    """What a value may look like, where there is no list of them; they cannot be picked."""
    examples = {
        "age": "a number with a unit: 30min, 12h, 7d",
        "moment": "a day or a moment: today, 2026-11-24, 2026-11-24T10:30",
        "metric": "a number",
        "number": "a number",
    }
    words = examples.get(field.kind) or ("a number" if field.is_number else "")
    units = [unit for unit in values.UNITS[field.unit] if unit]
    if words and units:
        words = f"{words}, with a unit if you like: {', '.join(units)}"
    if words:
        yield Completion("", words)
