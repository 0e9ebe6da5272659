"""Workers with their runs, what waits and why, and the lights of the services."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import QuerySet

from webapp.forecasts.durations import rounded
from webapp.forecasts.remaining import NONE, Seconds, forecasts_of, remaining_of
from webapp.health import broker_state, postgres_state
from webapp.runs.models import Run, Status
from webapp.runs.selectors import in_line
from webapp.workers.models import Worker
from webapp.workers.selectors import is_alive

FORECASTS = "forecast"
"""The queue of the worker that forecasts; it takes no runs."""


@dataclass(frozen=True)
class Light:
    """The state of one service, in a word; `state` is `good`, `caution` or `bad`."""

    name: str
    state: str
    word: str


@dataclass(frozen=True)
class HeldRun:
    run: Run
    left: Seconds | None

    @property
    def left_words(self) -> str:
        return _words(self.left)


@dataclass(frozen=True)
class WorkerCard:
    """A worker with the runs that it holds."""

    worker: Worker
    runs: list[HeldRun]

    @property
    def free_slots(self) -> int:
        return max(0, self.worker.slots - len(self.runs))

    @property
    def is_alive(self) -> bool:
        return is_alive(self.worker)

    @property
    def forecasts(self) -> bool:
        """Whether it answers forecasts, and so never has a run."""
        return self.worker.queues == FORECASTS


@dataclass(frozen=True)
class WaitingRun:
    """A queued run, its place in its queue (from 1) and why it has not begun."""

    run: Run
    position: int
    reason: str
    takes: Seconds | None
    """What it was said to take."""
    begins_in: Seconds | None
    """Until a worker has time for it; nothing where that is not known."""

    @property
    def takes_words(self) -> str:
        return _words(self.takes)

    @property
    def begins_words(self) -> str:
        return "at once" if self.begins_in == NONE else _words(self.begins_in)


@dataclass(frozen=True)
class QueueNow:
    """`cards` are of every worker that is not forgotten, `waiting` of the first runs in line."""

    cards: list[WorkerCard]
    waiting: list[WaitingRun]


def queue_now(*, most_waiting: int = 200) -> QueueNow:
    """At most `most_waiting` runs that wait; four queries, whatever their number."""
    workers = list(Worker.objects.all())
    running = list(_with_owner().filter(status=Status.RUNNING).order_by("started_at", "pk"))
    waiting = list(in_line(_with_owner().filter(status=Status.QUEUED))[:most_waiting])
    said = forecasts_of([*running, *waiting])
    left = {run.pk: remaining_of(run, said.get(run.pk)) for run in running}
    held = defaultdict(list)
    for run in running:
        held[run.worker].append(HeldRun(run, left[run.pk]))
    cards = [WorkerCard(worker, held[worker.name]) for worker in workers]
    return QueueNow(
        cards=sorted(cards, key=lambda card: (card.forecasts, not card.is_alive)),
        waiting=_in_turn(waiting, running, left, said, workers),
    )


def _words(seconds: Seconds | None) -> str:
    """Such as `about 3 min`; empty where nobody knows."""
    return f"about {rounded(seconds.expected)}" if seconds else ""


def _with_owner() -> QuerySet[Run]:
    return Run.objects.select_related("experiment__owner").defer("spec", "experiment__spec")


def _in_turn(
    waiting: list[Run],
    running: list[Run],
    left: dict[int, Seconds | None],
    said: dict[int, Seconds],
    workers: list[Worker],
) -> list[WaitingRun]:
    """Each with its place and with the work before it, shared among the slots of its queue."""
    living = [worker for worker in workers if is_alive(worker)]
    found = []
    positions: dict[str, int] = defaultdict(int)
    before: dict[str, Seconds | None] = {}
    for run in waiting:
        queue = run.queue
        takers = [worker for worker in living if queue in worker.queues.split(",")]
        slots = sum(worker.slots for worker in takers if not worker.paused)
        if queue not in before:
            at_work = [left[one.pk] for one in running if one.queue == queue]
            before[queue] = _sum(at_work) if len(at_work) >= slots else NONE
        positions[queue] += 1
        ahead, takes = before[queue], said.get(run.pk)
        found.append(
            WaitingRun(
                run=run,
                position=positions[queue],
                reason=_reason(queue, positions[queue], slots, len(takers)),
                takes=takes,
                begins_in=ahead / slots if ahead is not None and slots else None,
            )
        )
        before[queue] = _sum([ahead, takes])
    return found


def _sum(parts: list[Seconds | None]) -> Seconds | None:
    """Nothing where one of them is not known."""
    return None if None in parts else sum(parts, NONE)


def _reason(queue: str, position: int, slots: int, takers: int) -> str:
    if not takers:
        return f"No {queue.upper()} worker is connected."
    if not slots:
        return f"Every {queue.upper()} worker is paused."
    if position == 1:
        return "Next: begins as soon as a worker is free."
    before = position - 1
    return f"{before} run{'s' if before > 1 else ''} before it in the {queue.upper()} queue."


def lights(cards: list[WorkerCard]) -> list[Light]:
    """Postgres, the broker, the workers and the forecasts, each asked now."""
    living = [card for card in cards if card.is_alive]
    workers = [card.worker for card in living if not card.forecasts]
    forecasts = len(living) - len(workers)
    return [
        _service("Postgres", postgres_state()),
        _service("Broker", broker_state()),
        _workers(len(workers), sum(worker.paused for worker in workers)),
        Light("Forecasts", "good" if forecasts else "caution", "up" if forecasts else "no worker"),
    ]


def _service(name: str, state: str) -> Light:
    return Light(name, "good" if state == "up" else "bad", state)


def _workers(number: int, paused: int) -> Light:
    if not number:
        return Light("Workers", "bad", "none")
    if number == paused:
        return Light("Workers", "caution", "paused")
    return Light("Workers", "good", f"{number - paused} up" + f", {paused} paused" * bool(paused))
