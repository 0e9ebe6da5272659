"""How good forecasts have been: predicted against measured, over the newest finished runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Literal

from engine.forecast.fit import FORECAST_SHARE
from webapp.forecasts.models import Prediction

Quantity = Literal["memory", "time"]

MOST_RUNS = 1000
TIME_FACTOR = 1.5
"""Within which a forecast counts as good."""
FACTORS: dict[Quantity, float] = {"memory": 1.0 + FORECAST_SHARE, "time": TIME_FACTOR}


@dataclass(frozen=True)
class Pair:
    """One quantity of one run: what was said and what it was, in bytes or seconds."""

    row: Prediction
    predicted: float
    measured: float

    @property
    def ratio(self) -> float:
        return self.measured / self.predicted


def newest(limit: int = MOST_RUNS) -> list[Prediction]:
    """The newest finished runs of which something had been said; one query."""
    rows = Prediction.objects.filter(measured_at__isnull=False, predicted_at__isnull=False)
    unread = ("run__spec", "run__summary")
    return list(rows.select_related("run").defer(*unread).order_by("-measured_at", "-pk")[:limit])


def pairs(rows: Iterable[Prediction], quantity: Quantity) -> list[Pair]:
    """Of the rows that have both figures, neither of them zero."""
    found = []
    for row in rows:
        predicted, measured = {
            "memory": (row.peak_bytes, row.measured_peak_bytes),
            "time": (row.seconds, row.measured_seconds),
        }[quantity]
        if predicted and measured:
            found.append(Pair(row, float(predicted), float(measured)))
    return found


def is_within(pair: Pair, quantity: Quantity) -> bool:
    """Memory within 10 % of what was measured; time within a factor of 1.5."""
    if quantity == "memory":
        return abs(pair.predicted - pair.measured) <= FORECAST_SHARE * pair.measured
    return 1.0 / TIME_FACTOR <= pair.ratio <= TIME_FACTOR


def held(row: Prediction) -> bool:
    """Whether the run's time was within the interval that had been given."""
    return row.seconds_low <= row.measured_seconds <= row.seconds_high


@dataclass(frozen=True)
class Accuracy:
    """Of a group of runs. A figure is absent where no run has it."""

    runs: int
    memory_ratio: float | None
    memory_within: float | None
    time_ratio: float | None
    time_within: float | None
    intervals_held: float | None
    """Shares of one; ratios are medians of measured over predicted."""


def accuracy(rows: Iterable[Prediction]) -> Accuracy:
    rows = list(rows)
    memory, time = pairs(rows, "memory"), pairs(rows, "time")
    return Accuracy(
        runs=len(rows),
        memory_ratio=_median(memory),
        memory_within=_share(is_within(pair, "memory") for pair in memory),
        time_ratio=_median(time),
        time_within=_share(is_within(pair, "time") for pair in time),
        intervals_held=_share(held(pair.row) for pair in time),
    )


@dataclass(frozen=True)
class Group:
    worker: str
    estimator: str
    accuracy: Accuracy


def by_worker_and_estimator(rows: Iterable[Prediction]) -> list[Group]:
    groups: dict[tuple[str, str], list[Prediction]] = defaultdict(list)
    for row in rows:
        groups[row.worker, row.estimator].append(row)
    return [Group(*key, accuracy(groups[key])) for key in sorted(groups)]


def _median(found: list[Pair]) -> float | None:
    return median(pair.ratio for pair in found) if found else None


def _share(answers: Iterable[bool]) -> float | None:
    answers = list(answers)
    return sum(answers) / len(answers) if answers else None
