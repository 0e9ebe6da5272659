"""Parallel coordinates: every configuration as one line through its settings to what it reached."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webapp.compare.scales import WIDE
from webapp.compare.statistics import SummaryTable
from webapp.compare.varied import number_text, varied
from webapp.exports.charts import Chart, Stroke
from webapp.exports.metrics import Unit
from webapp.exports.numbers import format_value
from webapp.exports.pictures.axes import Axis

FEWEST_FIELDS, FEWEST_LINES = 2, 3
MOST_FIELDS = 6
MOST_WHOLE_TITLES = 5
REACHED = ("meta_loss", "bias_relative", "peak_bytes", "step_seconds")
"""The metrics behind the fields; the first says which line is best."""
NOWHERE = -0.14
"""Height at which a line passes an axis on which it has no value."""


@dataclass(frozen=True)
class Upright:
    """One axis: where values stand between 0 and 1, and what is written at its ends."""

    title: str
    texts: tuple[str, ...]
    """The value of each line as people read it."""
    heights: tuple[float, ...]
    low: str
    high: str

    @property
    def has_gaps(self) -> bool:
        return NOWHERE in self.heights


def parallel(table: SummaryTable) -> Chart | None:
    """`None` where there is too little to compare: few lines, or few fields that vary."""
    rows = table.rows
    groups = [row.configuration for row in rows]
    fields = [field for field in varied(groups) if field.has_choice][:MOST_FIELDS]
    if len(fields) < FEWEST_FIELDS or len(rows) < FEWEST_LINES:
        return None
    uprights = [_of_values(field.title, field.values) for field in fields]
    for name in REACHED:
        cells = [row.find(name) for row in rows]
        known = [cell.value if cell is not None and cell.is_finite else None for cell in cells]
        if any(value is not None for value in known):
            metric = next(cell.metric for cell in cells if cell is not None)
            uprights.append(_of_numbers(metric.title, known, _in_unit(metric.unit)))
    best = _best(table)
    across = tuple(range(len(uprights)))
    strokes = [_upright(place) for place in across]
    for index in sorted(range(len(rows)), key=lambda i: i == best):
        group = rows[index].configuration
        words = "\n".join(f"{each.title}: {each.texts[index]}" for each in uprights)
        strokes.append(
            Stroke(
                label=group.label,
                slot=group.slot,
                dash=group.dash,
                x=across,
                y=tuple(each.heights[index] for each in uprights),
                joined=True,
                faint=best is not None and index != best and len(rows) > 12,
                width=3.0 if index == best else 1.5,
                words=(words,) * len(uprights),
                in_legend=len(rows) <= 12 or index == best,
            )
        )
    strokes.append(_ends(uprights))
    said = f"{rows[best].configuration.label} has the lowest meta-loss" if best is not None else ""
    title = f"{len(rows)} configurations through {len(fields)} fields"
    return Chart(
        name="parallel",
        title="Settings and what they reached",
        explanation="A line is a configuration, from its settings on the left to its figures on "
        "the right; each axis has its own lowest and highest value.",
        x_axis=Axis(
            "", False, across, (-0.4, len(across) - 0.6), _short([u.title for u in uprights])
        ),
        y_axis=Axis("", False, (0.0,), (-0.3, 1.2), ("",)),
        strokes=tuple(strokes),
        configurations=tuple(row.configuration for row in rows),
        note="; ".join(
            part
            for part in (
                f"thick: {said}" if said else "",
                "– at the foot: no value" if any(u.has_gaps for u in uprights) else "",
                *table.counted,
            )
            if part
        ),
        text_summary=f"{title}. {said}." if said else f"{title}.",
        header=("Configuration", *(each.title for each in uprights)),
        rows=tuple(
            (row.configuration.label, *(each.texts[index] for each in uprights))
            for index, row in enumerate(rows)
        ),
        records=tuple(
            {
                "runs": " ".join(map(str, row.configuration.run_ids)),
                "label": row.configuration.label,
                **{field.title: field.values[index] for field in fields},
                **{
                    name: cell.value
                    for name in REACHED
                    if (cell := row.find(name)) is not None and cell.value is not None
                },
            }
            for index, row in enumerate(rows)
        ),
    )


def _of_values(title: str, values: tuple[Any, ...]) -> Upright:
    """The axis of a field: of numbers, or of words in the order in which they come."""
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if numbers and len(numbers) == sum(value is not None for value in values):
        return _of_numbers(title, list(values), number_text)
    kinds = list(dict.fromkeys(value for value in values if value is not None))
    heights = [
        NOWHERE if v is None else kinds.index(v) / (len(kinds) - 1) if len(kinds) > 1 else 0.5
        for v in values
    ]
    texts = tuple("–" if value is None else str(value) for value in values)
    low, high = (str(kinds[0]), str(kinds[-1])) if len(kinds) > 1 else ("", str(kinds[0]))
    return Upright(title, texts, tuple(heights), low, high)


def _in_unit(unit: Unit) -> Callable[[float], str]:
    return lambda value: format_value(value, unit)


def _of_numbers(title: str, values: list[float | None], text: Callable[[float], str]) -> Upright:
    known = [float(value) for value in values if value is not None]
    low, high = min(known), max(known)
    wide = low > 0 and high / low >= WIDE
    at: Callable[[float], float] = math.log if wide else float
    span = at(high) - at(low)
    heights = tuple(
        NOWHERE if v is None else (at(v) - at(low)) / span if span else 0.5 for v in values
    )
    texts = tuple("–" if value is None else text(value) for value in values)
    return Upright(title, texts, heights, text(low), text(high))


def _best(table: SummaryTable) -> int | None:
    known = [
        (cell.value, index)
        for index, row in enumerate(table.rows)
        if (cell := row.find(REACHED[0])) is not None and cell.is_finite
    ]
    return min(known)[1] if known else None


def _upright(place: int) -> Stroke:
    return Stroke(
        label="",
        part="ink",
        x=(place, place),
        y=(0.0, 1.0),
        joined=True,
        marked=False,
        width=1.0,
        in_legend=False,
    )


def _ends(uprights: list[Upright]) -> Stroke:
    places = range(len(uprights))
    return Stroke(
        label="",
        part="text",
        x=tuple(place for place in places for _ in range(2)),
        y=tuple(height for _ in places for height in (-0.07, 1.07)),
        words=tuple(text[:14] for each in uprights for text in (each.low, each.high)),
        in_legend=False,
    )


def _short(titles: list[str]) -> tuple[str, ...]:
    """Titles that fit beside each other: where there are many, the end of a path, and what a
    figure is without what it is a share of."""
    if len(titles) <= MOST_WHOLE_TITLES:
        return tuple(titles)
    return tuple(title.rsplit(".", 1)[-1].split(" / ")[0] for title in titles)
