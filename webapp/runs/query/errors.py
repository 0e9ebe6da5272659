"""What is wrong with a query, and where."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_NAMED = 12


class QueryError(ValueError):
    """A query that cannot be understood: a sentence for people, and the column, from 1."""

    def __init__(self, sentence: str, column: int) -> None:
        self.sentence = sentence if sentence.endswith(("?", ".")) else f"{sentence}."
        super().__init__(f"Column {column}: {self.sentence}")
        self.column = column


def one_of(given: str, allowed: Iterable[str]) -> str:
    """What is allowed instead of `given`: what looks like it, or the first of all."""
    names = list(allowed)
    if len(names) <= MOST_NAMED:
        return f"allowed: {', '.join(names)}"
    close = get_close_matches(given.lower(), names, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"allowed: {', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
