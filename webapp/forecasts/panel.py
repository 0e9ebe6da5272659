"""What the builder's forecast panel shows of an outlook, ready for its templates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from engine.forecast.fixes import Fix
from engine.spec import Experiment, validate
from webapp.exports.numbers import format_value
from webapp.forecasts.answers import Answer, Configuration, Largest
from webapp.forecasts.bars import bar_of, parts_of
from webapp.forecasts.durations import interval, rounded
from webapp.forecasts.outlook import Outlook
from webapp.forecasts.remaining import Seconds
from webapp.forecasts.totals import Totals, totals_of
from webapp.workers.selectors import queue_for

MOST_ROWS = 12
MOST_FIXES = 4
SIZES = {
    "inner.steps": "horizon T",
    "outer.meta_batch": "inner loops in the meta-batch",
    "inner_task.batch_size": "batch size",
    "random_directions": "random directions",
}


@dataclass(frozen=True)
class Choice:
    """A fix that one click applies."""

    sentence: str
    action: str


class Row:
    """One configuration."""

    def __init__(self, item: Configuration, names: dict[str, str]) -> None:
        self.item = item
        self.forecast = item.forecast
        self.verdict = item.verdict or ""
        self.bars = [
            bar_of(self.forecast, fit, names.get(fit.machine, fit.machine)) for fit in item.fits
        ]
        self.fixes = [_choice(fix) for fix in item.fixes[:MOST_FIXES]]

    @property
    def needs(self) -> str:
        return format_value(float(self.forecast.run_bytes), "B")

    @property
    def peak(self) -> str:
        return format_value(float(self.forecast.peak_bytes), "B")

    @property
    def time(self) -> str:
        found = self.forecast
        if found.seconds is None:
            return ""
        return interval(Seconds(found.seconds, found.seconds_low, found.seconds_high))

    @property
    def inner_steps(self) -> str:
        return count(self.forecast.run.inner_steps)

    @property
    def parts(self) -> list[tuple[str, str]]:
        return [(name, format_value(float(size), "B")) for name, size in parts_of(self.forecast)]

    @property
    def largest(self) -> list[tuple[str, str]]:
        return [(_size_name(item), _size_value(item)) for item in self.item.largest]


class Panel:
    """Everything that the panel and the launch bar say of one draft."""

    def __init__(self, outlook: Outlook) -> None:
        self.outlook = outlook
        self.key = outlook.key
        self.answer: Answer | None = outlook.answer
        self.is_open = outlook.is_open
        self.is_stale = outlook.is_open and outlook.answer is None
        """Whether the page still shows another draft's figures."""

    @cached_property
    def experiment(self) -> Experiment:
        return validate(self.outlook.spec)

    @cached_property
    def totals(self) -> Totals | None:
        return totals_of(self.answer, queue_for(self.experiment.device)) if self.answer else None

    @property
    def rows(self) -> list[Row]:
        """In the order of the runs; of many the largest ones."""
        if not self.answer:
            return []
        items = self.answer.configurations
        if len(items) > MOST_ROWS:
            items = sorted(items, key=lambda item: -item.forecast.run_bytes)[:MOST_ROWS]
        names = {machine.name: machine.name.partition("@")[0] for machine in self.answer.machines}
        names = names if len(set(names.values())) == len(names) else {}
        return [Row(item, names) for item in items]

    @property
    def hidden_rows(self) -> int:
        return max(0, len(self.answer.configurations) - MOST_ROWS) if self.answer else 0

    @property
    def misfits(self) -> int:
        return len(self.answer.misfits) if self.answer else 0

    @property
    def time(self) -> str:
        whole = self.totals and self.totals.seconds
        return interval(whole) if whole else ""

    @property
    def about(self) -> str:
        """The time in the launch bar."""
        whole = self.totals and self.totals.seconds
        return f"about {rounded(whole.expected)}" if whole else ""

    @property
    def memory(self) -> str:
        return format_value(float(self.totals.run_bytes), "B") if self.totals else ""

    @property
    def disk(self) -> str:
        return format_value(self.totals.disk_bytes, "B") if self.totals else ""

    @property
    def wait(self) -> str:
        waiting = self.totals and self.totals.wait
        if waiting is None:
            return "no worker"
        if not (waiting.seconds.expected or waiting.unknown):
            return "none"
        if not waiting.seconds.expected:
            return "not known"
        least = "at least " if waiting.unknown else "about "
        return least + rounded(waiting.seconds.expected)

    @property
    def advice(self) -> dict | None:
        return self.answer.advice if self.answer else None


def count(number: float) -> str:
    for size, unit in ((1e9, " billion"), (1e6, " million")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:,.0f}"


def _choice(fix: Fix) -> Choice:
    return Choice(fix.sentence, f"edit:{json.dumps(fix.edits)}")


def _size_name(item: Largest) -> str:
    return SIZES.get(item.path) or SIZES.get(name := item.path.rpartition(".")[2], name)


def _size_value(item: Largest) -> str:
    return "none fits" if item.value is None else f"{item.value:,}"
