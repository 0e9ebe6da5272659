"""What is known of a draft now: an answer, one that is on its way, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.utils import timezone

from webapp.forecasts.answers import Answer
from webapp.forecasts.models import Forecast
from webapp.questions import LONGEST, State


@dataclass(frozen=True)
class Outlook:
    key: str
    state: State
    spec: dict[str, Any]
    answer: Answer | None = None
    """Of this very draft, though perhaps asked for again or not complete yet."""
    complete: bool = False
    grows: bool = False
    """Whether fixes, advice and sizes may still come to the answer."""
    error: str = ""
    """Why there is no answer, in a sentence."""
    stamp: str = ""
    """Of the answer, another one when it has grown."""

    @classmethod
    def of(cls, key: str, row: Forecast | None) -> Self:
        if row is None:
            return cls(key, "unknown", {})
        answer = Answer.model_validate(row.answer) if row.answer else None
        since = row.answered_at and timezone.now() - row.answered_at
        grows = since is not None and not row.complete and since < LONGEST
        stamp = row.answered_at.isoformat() if row.answered_at else ""
        return cls(key, row.state, row.spec, answer, row.complete, grows, row.error, stamp)

    @property
    def is_open(self) -> bool:
        """Whether more may still come."""
        if self.state == "answered":
            return self.grows
        return self.state in ("waiting", "silent")
