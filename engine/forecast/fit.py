"""Whether a forecast fits a machine: where the lines are, and why. Free of torch.

A forecast counts live tensors. What the process takes is more: a forecast may be 10 % and 64 MB
short, and on a CPU the heap of the C library keeps freed pieces between others. In the lecture's
example the process grew by 1.45 and 1.61 times its live tensors (benchmarks/README.md); the
allocator of CUDA rounds up and keeps blocks too, for which the forecast's own allowance stands.
Hence the two lines:

- *will not fit*: the live tensors alone are more than the machine's memory, or the peak of an
  estimate is more than the spec's budget, at which the run would be stopped;
- *fits*: what the process may take at most, `most(forecast)`, is within the machine's memory;
- *tight*: between them, it may go well.
"""

from __future__ import annotations

from typing import Literal

from engine.forecast.records import EstimatorForecast, Machine, Record

Verdict = Literal["fits", "tight", "will not fit"]
VERDICTS: tuple[Verdict, ...] = ("fits", "tight", "will not fit")

FORECAST_SHARE = 0.10
FORECAST_BYTES = 64e6
"""How far a forecast may be below the peak: the accuracy that is asked of it."""
PROCESS_GROWTH = {"cpu": 1.61, "cuda": 1.0}
"""Bytes that a process takes for one byte of live tensors, at most as measured."""


class Fit(Record):
    """Where a forecast stands against a machine's memory, or a budget below that."""

    verdict: Verdict
    needed_bytes: float
    """Live tensors at the largest moment, or at the largest of an estimate where `limit` is the
    budget."""
    most_bytes: float
    """What the process may take at most."""
    limit_bytes: float
    limit: Literal["memory", "budget"]
    machine: str

    @property
    def sentence(self) -> str:
        where = {"memory": self.machine, "budget": "the budget of the spec"}[self.limit]
        share = f"{readable(self.needed_bytes)} of {readable(self.limit_bytes)} ({where})"
        if self.verdict == "tight":
            return f"tight: {share}, and the process may take {readable(self.most_bytes)}"
        return f"{self.verdict}: {share}"


def most(forecast: EstimatorForecast, machine: Machine) -> float:
    """Bytes that the process of a run may take at most."""
    live = forecast.run_bytes * (1.0 + FORECAST_SHARE) + FORECAST_BYTES
    return live * PROCESS_GROWTH[machine.device]


def fit(forecast: EstimatorForecast, machine: Machine, budget: float | None = None) -> Fit:
    """How `forecast` fits `machine`; `budget` is the spec's `budget.bytes`, on an estimate."""
    largest = most(forecast, machine)
    if budget is not None and forecast.peak_bytes > budget:
        needed, limit, name = float(forecast.peak_bytes), budget, "budget"
        verdict: Verdict = "will not fit"
    else:
        needed, limit, name = float(forecast.run_bytes), machine.memory_bytes, "memory"
        verdict = "will not fit" if needed > limit else "tight" if largest > limit else "fits"
    return Fit(
        verdict=verdict, needed_bytes=needed, most_bytes=largest, limit_bytes=limit, limit=name,
        machine=machine.name,
    )  # fmt: skip


def readable(size: float) -> str:
    """`0.4 GB`, `83 MB`: two figures, in powers of 1000."""
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= 0.995 * scale or (unit == "GB" and size >= 0.1 * scale):
            value = size / scale
            return f"{value:.0f} {unit}" if value >= 9.95 else f"{value:.1f} {unit}"
    return f"{size:.0f} bytes"
