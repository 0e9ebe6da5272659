"""Reads settings from environment variables; a missing or unreadable one is named in the error."""

import os

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


def required(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise ImproperlyConfigured(
            f"The environment variable {name} is missing; docker/env.example describes it."
        )
    return value


def optional(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    word = os.environ.get(name, "1" if default else "0").strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    allowed = ", ".join(sorted((TRUE_WORDS | FALSE_WORDS) - {""}))
    raise ImproperlyConfigured(f"{name} is {word!r}; allowed are: {allowed}.")


def one_of(name: str, allowed: tuple[str, ...]) -> str:
    """One of the allowed words; the first of them where none is given."""
    word = optional(name, allowed[0])
    if word not in allowed:
        raise ImproperlyConfigured(f"{name} is {word!r}; allowed are: {', '.join(allowed)}.")
    return word


def number(name: str, default: int) -> int:
    text = optional(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}; a whole number is needed.") from None


def words(name: str, text: str | None = None) -> list[str]:
    """The comma-separated entries of a required variable (or of `text`)."""
    value = required(name) if text is None else text
    return [entry.strip() for entry in value.split(",") if entry.strip()]
