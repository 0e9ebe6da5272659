"""Charts of stored results, in the lab's one specification of a drawing.

Every chart carries the specs, seeds, code versions, dates and machines of the cells that it is
drawn from: on the page as a note, in every file as its provenance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import fmean, stdev
from typing import Any

from webapp.exports.charts import Chart, Stroke
from webapp.exports.configurations import Configuration
from webapp.exports.numbers import format_value
from webapp.exports.pictures.axes import Axis
from webapp.exports.ticks import log_ticks
from webapp.gallery.page import Cell, Page
from webapp.gallery.results import Stored


@dataclass(frozen=True)
class CellExperiment:
    """A cell as the export sees an experiment."""

    name: str
    code_version: str
    spec: dict[str, Any]
    resumes: list[list[int]] = field(default_factory=list)


@dataclass(frozen=True)
class CellRun:
    """A seed of a cell as the export sees a run; its number is only that within the figure."""

    pk: int
    experiment_id: int
    experiment: CellExperiment
    label: str
    configuration: str
    estimator: str
    seed: int
    colour: int
    spec: dict[str, Any]


def chart(
    page: Page,
    stored: Sequence[Stored],
    *,
    name: str,
    title: str,
    explanation: str,
    x: Axis,
    y: Axis,
    strokes: Iterable[Stroke],
    summary: str,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    records: Iterable[Mapping[str, Any]],
) -> Chart:
    """A chart of the results in `stored`; `rows` are read by people, `records` have all digits."""
    return Chart(
        name=name,
        title=title,
        explanation=explanation,
        x_axis=x,
        y_axis=y,
        strokes=tuple(strokes),
        configurations=tuple(_origin(page, each, place) for place, each in enumerate(stored)),
        note=note(stored),
        text_summary=summary,
        header=tuple(header),
        rows=tuple(tuple(row) for row in rows),
        records=tuple(records),
    )


def note(stored: Sequence[Stored]) -> str:
    """When, with which code and seeds, and on what the results were computed."""
    days = sorted({each.date for each in stored})
    seeds = sorted({seed for each in stored for seed in each.seeds})
    versions = sorted({each.code_version for each in stored})
    machines = sorted(
        {f"{m['processor']}, {m['cores']} cores" for m in (s.machine for s in stored)}
    )
    when = _day(days[-1]) if len(days) == 1 else f"{_day(days[0])} to {_day(days[-1])}"
    which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {', '.join(map(str, seeds))}"
    return f"measured {when} · {which} · code {', '.join(versions)} · {'; '.join(machines)}"


def _day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.day} {day:%b %Y}"


def _origin(page: Page, stored: Stored, place: int) -> Configuration:
    cell: Cell = page.cell(**stored.key)
    spec = dict(cell.spec)
    experiment = CellExperiment(f"{page.title}: {cell.name}", stored.code_version, spec)
    runs = tuple(
        CellRun(
            pk=100 * place + number,
            experiment_id=place,
            experiment=experiment,
            label=cell.name,
            configuration=cell.name,
            estimator=cell.measure,
            seed=seed,
            colour=place,
            spec=spec,
        )
        for number, seed in enumerate(stored.seeds)
    )
    return Configuration(
        key=str(place), label=cell.name, full_label=cell.name, slot=0, dash="solid", runs=runs
    )


def count_axis(title: str, low: float, high: float) -> Axis:
    """A logarithmic axis of whole numbers from `low` to `high`, labelled as people write them."""
    ticks = [tick for tick in log_ticks(low, high) if low <= tick <= high]
    return Axis(title, True, tuple(ticks), (low, high), tuple(f"{tick:,.0f}" for tick in ticks))


@dataclass(frozen=True)
class Banded:
    """A curve over seeds: the mean, and one standard error of it to both sides."""

    x: tuple[float, ...]
    mean: tuple[float | None, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    seeds: int


def over_seeds(curves: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Banded:
    """`curves` are (x, y) of each seed, with the same x; what is not finite leaves a gap."""
    x = tuple(curves[0][0])
    columns = list(zip(*(values for _, values in curves), strict=True))
    means = tuple(_finite(fmean(column)) for column in columns)
    errors = [stdev(c) / math.sqrt(len(c)) if len(c) > 1 else 0.0 for c in columns]
    ends = [
        (m - e, m + e) if m is not None and math.isfinite(e) else (math.nan, math.nan)
        for m, e in zip(means, errors, strict=True)
    ]
    return Banded(x, means, tuple(e[0] for e in ends), tuple(e[1] for e in ends), len(curves))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def curve(
    banded: Banded, label: str, slot: int, *, dash: str = "solid", marked: bool = False
) -> Stroke:
    """A line with its band; of a single seed, the line alone."""
    whole = banded.seeds > 1
    return Stroke(
        label=label,
        x=banded.x,
        y=banded.mean,
        slot=slot,
        dash=dash,
        joined=True,
        marked=marked,
        band=whole,
        y_low=banded.low if whole else (),
        y_high=banded.high if whole else (),
        words=tuple(format_value(value) for value in banded.mean),
    )


def run_curves(stored: Stored, group: int, name: str) -> Banded:
    """The series `name` of one group of runs, over their seeds, against the outer step."""
    curves = [run["series"][name] for run in stored.runs if run["group"] == group]
    shortest = min(len(steps) for steps, _ in curves)
    return over_seeds(
        [(steps[:shortest], [float(v) for v in values[:shortest]]) for steps, values in curves]
    )


def level(value: float, ends: tuple[float, float], label: str, slot: int = 6) -> Stroke:
    """A horizontal line, such as the exact value."""
    return Stroke(
        label=label, x=ends, y=(value, value), slot=slot, dash="dash", joined=True, marked=False
    )
