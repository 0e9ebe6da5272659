"""Workers with their runs, what waits and why, and the lights of the services."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from webapp.forecasts.durations import rounded
from webapp.forecasts.remaining import Seconds, forecasts_of, remaining_of
from webapp.health import broker_state, postgres_state
from webapp.runs.models import Run, Status
from webapp.scheduling.claiming import room_of
from webapp.scheduling.line import Waiting, whole_line
from webapp.scheduling.reasons import in_its_turn, why_not_yet
from webapp.scheduling.waking import RUNS
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
    """What it still takes; nothing where nobody knows."""
    begins_in: float
    """Seconds until a worker has time for it; infinite where nobody knows."""

    @property
    def takes_words(self) -> str:
        return _words(self.takes)

    @property
    def begins_words(self) -> str:
        if math.isinf(self.begins_in):
            return ""
        return f"about {rounded(self.begins_in)}" if self.begins_in else "at once"


@dataclass(frozen=True)
class QueueNow:
    """`cards` are of every worker that is not forgotten, `waiting` of the first runs in line."""

    cards: list[WorkerCard]
    waiting: list[WaitingRun]


def queue_now(*, most_waiting: int = 200) -> QueueNow:
    """At most `most_waiting` runs that wait; six queries, whatever their number."""
    workers = list(Worker.objects.all())
    running = list(_with_owner().filter(status=Status.RUNNING).order_by("started_at", "pk"))
    standing = {
        turn.run_id: turn for queue in RUNS for turn in whole_line(queue, most=most_waiting)
    }
    found = _with_owner().in_bulk(standing)
    waiting = [found[pk] for pk in standing if pk in found][:most_waiting]
    said = forecasts_of([*running, *waiting])
    left = {run.pk: remaining_of(run, said.get(run.pk)) for run in [*running, *waiting]}
    held = defaultdict(list)
    for run in running:
        held[run.worker].append(HeldRun(run, left[run.pk]))
    cards = [WorkerCard(worker, held[worker.name]) for worker in workers]
    return QueueNow(
        cards=sorted(cards, key=lambda card: (card.forecasts, not card.is_alive)),
        waiting=in_turn(waiting, running, left, workers, standing),
    )


def _words(seconds: Seconds | None) -> str:
    """Such as `about 3 min`; empty where nobody knows."""
    return f"about {rounded(seconds.expected)}" if seconds else ""


def _with_owner() -> QuerySet[Run]:
    return Run.objects.select_related("experiment__owner").defer("spec", "experiment__spec")


def in_turn(
    waiting: list[Run],
    running: list[Run],
    left: dict[int, Seconds | None],
    workers: list[Worker],
    standing: Mapping[int, Waiting],
) -> list[WaitingRun]:
    """Each of `waiting` with its place, and when the first slot is free for it if all goes as it is
    expected to; `left` is by run what it still takes, `standing` how its owner stands.

    A slot that is too small for a run is free for those behind it.
    """
    living = [worker for worker in workers if is_alive(worker)]
    is_forecast = any(worker.queues == FORECASTS and not worker.paused for worker in living)
    takers = {
        queue: [worker for worker in living if queue in worker.queues.split(",")]
        for queue in {run.queue for run in waiting}
    }
    taking = {
        queue: [worker for worker in able if not worker.paused] for queue, able in takers.items()
    }
    busy: dict[str, list[float]] = defaultdict(list)
    for run in running:
        busy[run.worker].append(_expected(left[run.pk]))
    slots = {
        queue: [(t, room_of(worker)) for worker in at_work for t in _free_in(worker, busy)]
        for queue, at_work in taking.items()
    }
    found = []
    positions: dict[str, int] = defaultdict(int)
    for run in waiting:
        queue = run.queue
        turn = standing.get(run.pk)
        positions[queue] += 1
        obstacle = why_not_yet(run, turn, takers[queue], taking[queue], is_forecast=is_forecast)
        able = [slot for slot in slots[queue] if slot[1] >= (run.needs_bytes or 0)]
        begins_in = math.inf
        if able and not (turn and (turn.is_held or turn.put_off)):
            slot = min(able)
            begins_in = slot[0]
            slots[queue].remove(slot)
            slots[queue].append((begins_in + _expected(left[run.pk]), slot[1]))
        found.append(
            WaitingRun(
                run=run,
                position=positions[queue],
                reason=obstacle or in_its_turn(run, positions[queue], turn),
                takes=left[run.pk],
                begins_in=begins_in,
            )
        )
    return found


def _free_in(worker: Worker, busy: Mapping[str, list[float]]) -> list[float]:
    """Seconds until each slot of `worker` is free; `busy` has those of the runs of each."""
    seconds = busy.get(worker.name, [])
    return seconds[: worker.slots] + [0.0] * (worker.slots - len(seconds))


def _expected(seconds: Seconds | None) -> float:
    return seconds.expected if seconds else math.inf


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
