"""What is wrong with a spec: one entry a field, with what was given and what is allowed."""

from dataclasses import dataclass
from typing import Any

LONGEST_QUOTE = 60


@dataclass(frozen=True)
class FieldError:
    """One refused field. `path` is dotted (`estimators.1.window`); empty for the whole document."""

    path: str
    given: Any
    message: str

    def __str__(self) -> str:
        if not self.path:
            return self.message
        return f"{self.path}: {self.message} (given: {quote(self.given)})"

    def as_dict(self) -> dict[str, str]:
        return {"path": self.path, "given": quote(self.given), "message": self.message}


class SpecError(ValueError):
    """A spec that cannot be run. `errors` names every refused field, in the order of the spec."""

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        super().__init__("\n".join(str(error) for error in errors))


def quote(value: Any) -> str:
    """`value` as a person would recognise it, cut to a length that fits beside a field."""
    if value is None:
        return "nothing"
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Python writes no whole number of more than 4,300 digits, and nothing without a bottom.
        return f"a {type(value).__name__} too large to be written"
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
