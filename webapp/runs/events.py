"""What happened to a run: the newest events, those that a reader asks for, and its log as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import timezone

from webapp.runs.models import Run, RunEvent

MOST_EVENTS = 500


@dataclass(frozen=True)
class EventQuery:
    """What a reader asks for; an empty field asks for nothing. A kind or level that there is not
    matches nothing."""

    kind: str = ""
    level: str = ""
    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.kind or self.level or self.text)


def read_event_query(query: Mapping[str, str]) -> EventQuery:
    text = query.get("q", "").strip()[:200].replace("\x00", "")
    return EventQuery(kind=query.get("kind", ""), level=query.get("level", ""), text=text)


def events_of(run: Run, query: EventQuery) -> list[RunEvent]:
    """The newest events of `run` that `query` leaves, at most `MOST_EVENTS`, the oldest first."""
    found = run.events.all()
    if query.kind:
        found = found.filter(kind=query.kind.replace("\x00", ""))
    if query.level:
        found = found.filter(level=query.level.replace("\x00", ""))
    for word in query.text.split()[:8]:
        found = found.filter(message__icontains=word)
    return list(found.order_by("-at", "-pk")[:MOST_EVENTS])[::-1]


def log_text(events: Iterable[RunEvent]) -> str:
    """What a run said itself, a line each: time, attempt, outer step, level and sentence."""
    return "".join(
        f"{timezone.localtime(event.at):%Y-%m-%d %H:%M:%S}  attempt {event.attempt}  "
        f"step {event.step:<6}  {event.level:<7}  {event.message}\n"
        for event in events
        if event.kind == RunEvent.Kind.LOG
    )
