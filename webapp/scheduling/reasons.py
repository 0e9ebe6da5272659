"""Why a run waits, in a sentence for people."""

from __future__ import annotations

from django.utils import timezone

from engine.forecast.fit import readable
from webapp.runs.models import Priority, Run
from webapp.scheduling.claiming import FORECAST_SECONDS, room_of
from webapp.scheduling.line import Waiting
from webapp.workers.models import Worker


def why_not_yet(
    run: Run,
    turn: Waiting | None,
    takers: list[Worker],
    taking: list[Worker],
    *,
    is_forecast: bool,
) -> str:
    """What keeps `run` from beginning, even were it first in line; empty where nothing does.
    `takers` are the living workers of its queue, `taking` those that are not paused; `is_forecast`
    says whether a worker that forecasts lives."""
    queue = run.queue.upper()
    if not takers:
        return f"No {queue} worker is connected."
    if not taking:
        return f"Every {queue} worker is paused."
    if turn is not None and turn.is_held:
        going = f"{turn.going} run{'s' if turn.going != 1 else ''}"
        return f"{run.experiment.owner} has {going} going, of {turn.most_at_once} at once."
    if turn is not None and turn.put_off:
        return turn.put_off
    largest = max(room_of(worker) for worker in taking)
    if run.needs_bytes and run.needs_bytes > largest:
        needs, has = readable(run.needs_bytes), readable(largest)
        return f"Needs {needs}; the largest {queue} worker has {has} for a run."
    if is_forecast and _awaits_forecast(run):
        return f"Waits for the forecast of its memory, {FORECAST_SECONDS:g} s at most."
    return ""


def _awaits_forecast(run: Run) -> bool:
    if run.needs_bytes is not None or run.forecast_given_up:
        return False
    return (timezone.now() - run.stands_at).total_seconds() < FORECAST_SECONDS


def in_its_turn(run: Run, position: int, turn: Waiting | None) -> str:
    """Where a run stands that only waits for its turn."""
    known = run.needs_bytes is not None
    unknown = "" if known else " Its memory is not known: the largest free slot takes it."
    behind = ""
    if turn is not None and turn.is_over and turn.priority not in (Priority.FIRST, Priority.LAST):
        behind = " Its owner has used today's compute, so all others come first."
    if position == 1:
        return f"Next: begins as soon as a worker is free.{behind}{unknown}"
    before = position - 1
    many = "s" if before > 1 else ""
    return f"{before} run{many} before it in the {run.queue.upper()} queue.{behind}{unknown}"
