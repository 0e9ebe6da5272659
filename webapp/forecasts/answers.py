"""What is said of an experiment before it runs; the API, the pages and Postgres hold the same."""

from __future__ import annotations

from typing import Any

from engine.forecast import EstimatorForecast, Machine
from engine.forecast.fit import VERDICTS, Fit, Verdict
from engine.forecast.fixes import Fix
from engine.forecast.records import Record


class Largest(Record):
    """The largest value of one size of the spec that still fits."""

    path: str
    now: int
    value: int | None
    """Nothing where not even the smallest fits."""


class Configuration(Record):
    """An estimator at one point of the sweep: runs that differ by their seed."""

    position: int
    """Of the estimator in the spec."""
    label: str
    sweep: dict[str, Any]
    runs: list[int]
    """The numbers of its runs within the experiment."""
    forecast: EstimatorForecast
    disk_bytes: float
    """What one run keeps: points, pictures apart, and while it runs its checkpoints."""
    fits: list[Fit]
    """One for each machine."""
    largest: list[Largest] = []
    fixes: list[Fix] = []

    @property
    def verdict(self) -> Verdict | None:
        """On the machine that has most room; nothing where no worker is there."""
        return min((fit.verdict for fit in self.fits), key=VERDICTS.index, default=None)


class Answer(Record):
    """Of a whole experiment, for the workers that there were."""

    machines: list[Machine]
    """Those that may take its runs; seconds are those of the first."""
    configurations: list[Configuration]
    left_out: int = 0
    """Configurations that there was no time for."""
    advice: dict[str, Any] | None = None
    """As `engine.advice` says it."""

    @property
    def misfits(self) -> list[Configuration]:
        """What fits no machine."""
        return [item for item in self.configurations if item.verdict == "will not fit"]

    @property
    def needs_by_number(self) -> dict[int, tuple[int, float | None]]:
        """Bytes and seconds of every run, by its number within the experiment."""
        return {
            number: (item.forecast.run_bytes, item.forecast.seconds)
            for item in self.configurations
            for number in item.runs
        }

    @property
    def run_bytes(self) -> int:
        """What the largest of its runs needs."""
        return max((item.forecast.run_bytes for item in self.configurations), default=0)

    @property
    def disk_bytes(self) -> float:
        return sum(item.disk_bytes * len(item.runs) for item in self.configurations)
