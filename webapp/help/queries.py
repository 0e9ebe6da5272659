"""The query language of the table of runs, explained; its fields are read from the language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from webapp.runs.query.fields import SHORT_NAMES, Field, Kind, fields

EXAMPLES = (
    (
        "truncated bowl",
        "Runs with both words in the label, the name, the experiment's name or the owner's.",
    ),
    (
        "estimator:truncated AND bias_relative<0.1",
        "Truncated estimates with a small bias.",
    ),
    ("status:failed,out_of_budget age<7d", "What went wrong in the last week."),
    ("owner:me AND NOT tag:none", "My runs that have a tag."),
    ("(horizon>=100 OR window:5) seed:0", "Parentheses group."),
    ("inner.optimizer.kind:adam meta_parameters.kind:learning_rate", "Any field of the spec."),
    ("peak_bytes>1.5GB OR meta_loss:nan", "Units, and figures that are not finite."),
    ("best_test_accuracy>90%", "The best of the run, of a metric that has a better direction."),
    ('name:"two words" created>=2026-11-01', "Quotation marks around what has spaces."),
    ("archived:any", "The archive too: without a word of it, archived runs are left out."),
)
COMPARISONS = (
    (":", "One of several values, with commas between: seed:0,1,2."),
    ("=", "The same for numbers; for texts, the whole text and not a part of it."),
    ("!=", "Everything else, also runs that have no such value."),
    ("< <= > >=", "One number, moment or age. No run with nan belongs to > and >=."),
)
_VALUES: dict[Kind, str] = {
    "choice": "one or several of these",
    "text": "a part of the text; none for an empty one",
    "name": "a part of the text",
    "digest": "its first characters",
    "person": "a username, or me",
    "tag": "a tag's whole name; none for runs without",
    "number": "a number",
    "moment": "today, yesterday, 2026-11-24 or 2026-11-24T10:30, in the lab's time zone; none",
    "age": "a number with a unit: 30min, 12h, 7d or 2w",
    "archived": "one of these",
}


@dataclass(frozen=True, kw_only=True)
class QueryField:
    """What the help says of one field of the language."""

    name: str
    explanation: str
    values: str
    choices: tuple[str, ...] = ()


@cache
def own_fields() -> tuple[QueryField, ...]:
    """The fields that a run has of itself, whatever its spec and its metrics."""
    return tuple(_explained(each) for each in fields().values() if each.kind in _VALUES)


@cache
def short_names() -> tuple[QueryField, ...]:
    """The fields of the spec that have a short name."""
    return tuple(
        QueryField(name=name, explanation=fields()[name].help, values=f"short for {path}")
        for name, path in SHORT_NAMES.items()
    )


def metric_names() -> list[str]:
    return _names(each for each in fields().values() if each.kind == "metric")


def spec_paths() -> list[str]:
    return _names(
        each for each in fields().values() if each.kind == "spec" and each.name not in SHORT_NAMES
    )


def _names(found: Iterable[Field]) -> list[str]:
    return [each.name for each in found]


def _explained(field: Field) -> QueryField:
    return QueryField(
        name=field.name,
        explanation=f"{field.help}.",
        values=_VALUES[field.kind],
        choices=tuple(field.choices()),
    )
