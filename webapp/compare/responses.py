"""A metric against a field that runs vary: memory against the horizon, bias against a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webapp.compare.scales import WIDE, Scale, metric_scale, scale
from webapp.compare.statistics import Cell, Row, SummaryTable
from webapp.compare.varied import ESTIMATOR, Varied, number_text, varied
from webapp.exports.charts import Chart, Stroke
from webapp.exports.metrics import METRICS, Metric

USUAL = {"inner.steps": "peak_bytes", "window": "bias_relative"}
"""Which metric a field is drawn against at first, by the end of its path; else the meta-loss."""
MOST_RESPONSES = 6
KIND = f"{ESTIMATOR}kind"


def fields_of(table: SummaryTable) -> list[Varied]:
    """The numbers that the configurations of `table` vary, at most `MOST_RESPONSES`."""
    groups = [row.configuration for row in table.rows]
    return [field for field in varied(groups) if field.is_numeric][:MOST_RESPONSES]


def usual_metric(path: str) -> str:
    return next((name for end, name in USUAL.items() if path.endswith(end)), "meta_loss")


def response(table: SummaryTable, path: str, metric: Metric) -> Chart | None:
    """`metric` against the field at `path`, a line for the configurations that differ in nothing
    else; `None` where no configuration has both.

    A configuration without the field is a level line: what the others can be measured by.
    """
    fields = {field.path: field for field in varied([row.configuration for row in table.rows])}
    if path not in fields or not fields[path].is_numeric:
        return None
    field = fields[path]
    others = [other for other in fields.values() if other.path != path]
    lines: dict[tuple[Any, ...], list[tuple[float, Row, Cell]]] = {}
    level: list[tuple[Row, Cell]] = []
    for index, row in enumerate(table.rows):
        cell, number = row.find(metric.name), field.numbers[index]
        if cell is None or not cell.is_finite:
            continue
        if number is None:
            level.append((row, cell))
            continue
        lines.setdefault(tuple(o.values[index] for o in others), []).append((number, row, cell))
    if not lines:
        return None
    labels = _labels(others, list(lines))
    numbers = [number for points in lines.values() for number, _, _ in points]
    across = scale(field.title, numbers, log=_is_wide(numbers))
    cells = [cell for points in lines.values() for _, _, cell in points]
    along = metric_scale(metric, [c.value for c in [*cells, *(cell for _, cell in level)]])
    sorted_lines = [sorted(points, key=lambda point: point[0]) for points in lines.values()]
    strokes = [_level(row, cell, across, along) for row, cell in level]
    strokes += [
        _line(label, points, across, along)
        for label, points in zip(labels, sorted_lines, strict=True)
    ]
    placed = [
        (label, number, row, cell)
        for label, points in zip(labels, sorted_lines, strict=True)
        for number, row, cell in points
    ]
    without = [(row.configuration.label, None, row, cell) for row, cell in level]
    return Chart(
        name=f"response:{path}",
        title=f"{metric.title} against {field.title}",
        explanation=metric.explanation,
        x_axis=across.axis,
        y_axis=along.axis,
        strokes=tuple(strokes),
        configurations=tuple(row.configuration for _, _, row, _ in [*placed, *without]),
        note=_note(table, cells, level, along),
        text_summary=_words(metric, field, labels, sorted_lines),
        header=("Line", field.title, metric.title, "N"),
        rows=tuple(
            (label, "–" if number is None else number_text(number), cell.text, str(cell.n))
            for label, number, _, cell in [*placed, *without]
        ),
        records=tuple(
            {
                "runs": " ".join(map(str, row.configuration.run_ids)),
                "label": row.configuration.label,
                "line": label,
                field.title: number,
                metric.name: cell.value,
                f"{metric.name}_standard_error": cell.error,
                f"{metric.name}_n": cell.n,
            }
            for label, number, row, cell in [*placed, *without]
        ),
    )


def _is_wide(numbers: Sequence[float]) -> bool:
    return min(numbers) > 0 and max(numbers) / min(numbers) >= WIDE


def _labels(others: list[Varied], lines: list[tuple[Any, ...]]) -> list[str]:
    """What tells each line from the others: the kind of its estimator, then what differs within
    that kind."""
    paths = [other.path for other in others]
    kinds = [values[paths.index(KIND)] if KIND in paths else "" for values in lines]
    labels = []
    for kind, values in zip(kinds, lines, strict=True):
        same = [other for other, own in zip(lines, kinds, strict=True) if own == kind]
        told = [
            f"{other.short} = {value}"
            for index, (other, value) in enumerate(zip(others, values, strict=True))
            if other.path != KIND and len({line[index] for line in same}) > 1
        ]
        words = ", ".join([*([str(kind).replace("_", " ")] if kind else []), *told])
        labels.append(words or "all configurations")
    return labels


def _line(label: str, points: list[tuple[float, Row, Cell]], across: Scale, along: Scale) -> Stroke:
    first = points[0][1].configuration
    floor = along.axis.ends[0] if along.axis.log and along.axis.ends else None
    errors = [cell.error or 0.0 for _, _, cell in points]
    values = [cell.value for _, _, cell in points]
    lows = [value - error for value, error in zip(values, errors, strict=True)]
    whiskers: dict[str, tuple[float, ...]] = {}
    if any(errors):
        whiskers = {
            "y_low": tuple(low if floor is None else max(low, floor) for low in lows),
            "y_high": tuple(v + e for v, e in zip(values, errors, strict=True)),
        }
    return Stroke(
        label=label,
        slot=first.slot,
        dash=first.dash,
        x=tuple(number for number, _, _ in points),
        y=tuple(along.place(value) for value in values),
        joined=True,
        words=tuple(
            f"{row.configuration.label}\n{number_text(number)}: {cell.text} (N = {cell.n})"
            for number, row, cell in points
        ),
        **whiskers,
    )


def _level(row: Row, cell: Cell, across: Scale, along: Scale) -> Stroke:
    group, y = row.configuration, along.place(cell.value)
    return Stroke(
        label=group.label,
        slot=group.slot,
        dash="dot",
        x=tuple(across.axis.ends or (0.0, 1.0)),
        y=(y, y),
        joined=True,
        marked=False,
        width=1.5,
        words=(cell.text, cell.text),
    )


def _note(
    table: SummaryTable, cells: list[Cell], level: list[tuple[Row, Cell]], along: Scale
) -> str:
    parts = []
    if any(cell.error is not None for cell in cells):
        parts.append("mean ± standard error over seeds")
    if level:
        parts.append("dotted: without this field")
    if along.zero is not None:
        parts.append("0 stands at the edge of its axis")
    parts += table.counted
    return "; ".join(parts)


def _words(
    metric: Metric,
    field: Varied,
    labels: list[str],
    lines: list[list[tuple[float, Row, Cell]]],
) -> str:
    said = []
    for label, points in list(zip(labels, lines, strict=True))[:8]:
        (first, _, low), (last, _, high) = points[0], points[-1]
        said.append(
            f"{label}: {low.text} at {number_text(first)}"
            + (f", {high.text} at {number_text(last)}" if len(points) > 1 else "")
        )
    more = f" And {len(lines) - 8} more lines." if len(lines) > 8 else ""
    return f"{metric.title} against {field.title}. {'; '.join(said)}.{more}"


def metrics_of(table: SummaryTable) -> list[Metric]:
    """What can be drawn: the columns of `table` that some row has."""
    return [
        METRICS[column.metric.name]
        for index, column in enumerate(table.columns)
        if any(row.cells[index].is_finite for row in table.rows)
    ]
