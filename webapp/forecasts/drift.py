"""Whether forecasts have gone wrong of late: more of them missed than chance allows.

Time is missed outside its 90 % interval, memory by more than a tenth and 64 MB. A worker's newest
configurations are counted, each once; as many misses as there were have a probability below 1 %
where one in ten misses (a binomial test).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from scipy.special import bdtrc

from engine.forecast.fit import FORECAST_BYTES
from webapp.forecasts.accuracy import Pair, Quantity, held, is_within, newest, pairs
from webapp.forecasts.models import Prediction

RECENT = 20
"""Configurations of each worker."""
MISSES_ALLOWED = 0.1
SIGNIFICANCE = 0.01
SAID: dict[Quantity, str] = {
    "memory": "needed other memory than was forecast, by more than 10 % and 64 MB",
    "time": "took longer or shorter than the forecast's 90 % interval",
}


@dataclass(frozen=True)
class Drift:
    """Of one worker and one quantity."""

    worker: str
    quantity: Quantity
    missed: int
    of: int
    ratio: float
    """Median of measured over predicted, over the missed ones."""

    @property
    def sentence(self) -> str:
        return (
            f"{self.missed} of the last {self.of} configurations on {self.worker} "
            f"{SAID[self.quantity]}: {self.ratio:.2g} times as much in the median."
        )


def drifts(rows: Iterable[Prediction] | None = None) -> list[Drift]:
    """What admins should look at; `rows` are the newest runs first."""
    found = []
    for worker, recent in _recent(newest() if rows is None else rows).items():
        for quantity in SAID:
            compared = pairs(recent, quantity)
            missed = [pair for pair in compared if _is_missed(pair, quantity)]
            # P(X ≥ k) of a binomial X; of k = 0 it is 1.
            if missed and bdtrc(len(missed) - 1, len(compared), MISSES_ALLOWED) < SIGNIFICANCE:
                ratio = median(pair.ratio for pair in missed)
                found.append(Drift(worker, quantity, len(missed), len(compared), ratio))
    return found


def _recent(rows: Iterable[Prediction]) -> dict[str, list[Prediction]]:
    """The newest run of each of the newest configurations, by worker."""
    recent: dict[str, dict[str, Prediction]] = defaultdict(dict)
    for row in rows:
        own = recent[row.worker]
        if len(own) < RECENT:
            own.setdefault(row.configuration, row)
    return {worker: list(own.values()) for worker, own in sorted(recent.items())}


def _is_missed(pair: Pair, quantity: Quantity) -> bool:
    if quantity == "time":
        return not held(pair.row)
    far = abs(pair.predicted - pair.measured) > FORECAST_BYTES
    return far and not is_within(pair, "memory")
