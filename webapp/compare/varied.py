"""The fields that configurations vary, with their values: what a sweep is drawn against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webapp.compare.difference import leaves
from webapp.exports.configurations import Configuration

NOT_VARIED = ("name", "seeds", "sweep", "budget", "probes", "threads")
"""Which runs there are and what watches them, not what they do."""
ESTIMATOR = "estimators.0."


@dataclass(frozen=True)
class Varied:
    """One field, by its path in a run's spec, and its value in each configuration; `None` where a
    configuration has no such field, or nothing in it."""

    path: str
    values: tuple[Any, ...]

    @property
    def title(self) -> str:
        """ "inner.steps", "estimator.window": the path as the table of differences has it."""
        return self.path.replace(ESTIMATOR, "estimator.")

    @property
    def short(self) -> str:
        return self.path.rsplit(".", 1)[-1]

    @property
    def numbers(self) -> tuple[float | None, ...]:
        return tuple(float(value) if _is_number(value) else None for value in self.values)

    @property
    def has_choice(self) -> bool:
        """Whether there are two values at least, beside being without the field."""
        return len({value for value in self.values if value is not None}) > 1

    @property
    def is_numeric(self) -> bool:
        """Whether there are two numbers at least, and nothing that is no number."""
        return self.has_choice and all(_is_number(v) for v in self.values if v is not None)


def number_text(value: float) -> str:
    """A setting as somebody typed it: 10, 0.001, 1e−06."""
    return f"{value:g}".replace("-", "−")


def varied(groups: Sequence[Configuration]) -> list[Varied]:
    """The fields in which `groups` differ, in the order of the first spec that has them."""
    fields = [leaves(group.runs[0].spec, NOT_VARIED) for group in groups]
    paths = dict.fromkeys(path for own in fields for path in own)
    found = []
    for path in paths:
        values = tuple(_plain(own.get(path)) for own in fields)
        if len(set(values)) > 1:
            found.append(Varied(path, values))
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """`value` as something that can be compared and hashed."""
    return str(value) if isinstance(value, list | dict) else value
