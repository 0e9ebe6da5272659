"""Two metrics of every configuration: which are worth their cost, and bias beside variance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from webapp.compare.pareto import Sign, front, staircase
from webapp.compare.scales import Scale, metric_scale
from webapp.compare.statistics import Cell, Row, SummaryTable
from webapp.exports.charts import Chart, Stroke
from webapp.exports.metrics import METRICS, Metric
from webapp.exports.numbers import format_value
from webapp.exports.ticks import tick_label

ISO_LINES = 4
_ISO_POINTS = 60


@dataclass(frozen=True)
class Spot:
    """One configuration among two metrics, both finite."""

    row: Row
    x: Cell
    y: Cell

    @property
    def words(self) -> str:
        return "\n".join(f"{each.metric.title}: {_with_seeds(each)}" for each in (self.x, self.y))


def pareto(table: SummaryTable, across: Metric, along: Metric) -> Chart:
    """Every configuration, those on the front in full and those that another dominates faint."""
    spots = _spots(table, across, along)
    signs = (_sign(across), _sign(along))
    xs, ys = [spot.x.value for spot in spots], [spot.y.value for spot in spots]
    kept = front(xs, ys, signs) if spots else []
    scales = (_scale(across, spots, "x"), _scale(along, spots, "y"))
    strokes = [_dot(spot, scales, faint=i not in kept) for i, spot in enumerate(spots)]
    if len(kept) > 1:
        edge = staircase([xs[i] for i in kept], [ys[i] for i in kept], signs)
        strokes.insert(0, _edge(edge, scales))
    best = ", ".join(spots[i].row.configuration.label for i in kept)
    directions = ", ".join(
        f"{metric.title.lower()} is better {'higher' if sign < 0 else 'lower'}"
        for metric, sign in zip((across, along), signs, strict=True)
    )
    return Chart(
        name="pareto",
        title=f"{along.title} against {across.title.lower()}",
        explanation="Nothing beats a configuration on the line in both at once; a faint one is "
        "beaten in both, or in one at equal other.",
        x_axis=scales[0].axis,
        y_axis=scales[1].axis,
        strokes=tuple(strokes),
        configurations=tuple(spot.row.configuration for spot in spots),
        note=_note(table, spots, scales),
        text_summary=f"{len(kept)} of {len(spots)} configurations are on the Pareto front "
        f"({directions}): {best}."
        if spots
        else "No configuration has measured both.",
        header=("Configuration", across.title, along.title, "Front"),
        rows=tuple(
            (spot.row.configuration.label, _with_seeds(spot.x), _with_seeds(spot.y),
             "yes" if i in kept else "dominated")
            for i, spot in enumerate(spots)
        ),
        records=tuple(
            {**_record(spot), "on_front": "yes" if i in kept else "no"}
            for i, spot in enumerate(spots)
        ),
    )  # fmt: skip


def bias_variance(table: SummaryTable) -> Chart | None:
    """Bias and variance of every configuration's meta-gradient; `None` where none was probed,
    and of best values: the least bias and the least variance may be those of different steps.

    An estimate ĝ of g has E‖ĝ − g‖² = ‖E ĝ − g‖² + tr Cov ĝ: dotted lines join what is equally
    wrong, in both as a share of the oracle's norm.
    """
    bias, variance = METRICS["bias_relative"], METRICS["variance_relative"]
    spots = _spots(table, bias, variance)
    if table.best or not spots:
        return None
    scales = (_scale(bias, spots, "x"), _scale(variance, spots, "y"))
    levels, lines = _equal_errors(scales)
    errors = [spot.x.value**2 + spot.y.value for spot in spots]
    order = sorted(range(len(spots)), key=lambda i: errors[i])
    best = spots[order[0]].row.configuration.label
    note = _note(table, spots, scales)
    if levels:
        said = ", ".join(tick_label(level, "") for level in levels)
        note = f"dotted: bias² + variance = {said}" + (f"; {note}" if note else "")
    return Chart(
        name="bias-variance",
        title="Bias and variance",
        explanation="Left is less systematically wrong, down is less noisy. The squared error of "
        "one estimate is bias² + variance, in shares of the oracle's squared norm.",
        x_axis=scales[0].axis,
        y_axis=scales[1].axis,
        strokes=(*lines, *(_dot(spot, scales, faint=False) for spot in spots)),
        configurations=tuple(spot.row.configuration for spot in spots),
        note=note,
        text_summary=f"Least squared error of one estimate: {best}, "
        f"{format_value(errors[order[0]])} of the oracle's squared norm; most: "
        f"{spots[order[-1]].row.configuration.label}, {format_value(errors[order[-1]])}.",
        header=("Configuration", bias.title, variance.title, "Bias² + variance"),
        rows=tuple(
            (spots[i].row.configuration.label, _with_seeds(spots[i].x), _with_seeds(spots[i].y),
             format_value(errors[i]))
            for i in order
        ),
        records=tuple(
            {**_record(spot), "squared_error": error}
            for spot, error in zip(spots, errors, strict=True)
        ),
    )  # fmt: skip


def _spots(table: SummaryTable, across: Metric, along: Metric) -> list[Spot]:
    """The rows that have a finite figure of both."""
    return [
        Spot(row, x, y)
        for row in table.rows
        if (x := row.find(across.name)) and (y := row.find(along.name))
        if x.is_finite and y.is_finite
    ]


def _sign(metric: Metric) -> Sign:
    return -1 if metric.better == "higher" else 1


def _scale(metric: Metric, spots: list[Spot], side: str) -> Scale:
    cells: list[Cell] = [getattr(spot, side) for spot in spots]
    ends = [value for cell in cells for value in _ends(cell)]
    if metric.log:
        # A whisker that reaches below zero ends at the axis, and does not stretch it.
        ends = [value for value in ends if value > 0] + [c.value for c in cells]
        least = min((c.value for c in cells if c.value > 0), default=0.0)
        ends = [value for value in ends if value == 0 or value >= least / 10]
    return metric_scale(metric, ends)


def _ends(cell: Cell) -> tuple[float, float]:
    error = cell.error if cell.error is not None and math.isfinite(cell.error) else 0.0
    return cell.value - error, cell.value + error


def _dot(spot: Spot, scales: tuple[Scale, Scale], *, faint: bool) -> Stroke:
    group = spot.row.configuration
    whiskers: dict[str, tuple[float, ...]] = {}
    for side, cell, own in (("x", spot.x, scales[0]), ("y", spot.y, scales[1])):
        if not cell.error or not math.isfinite(cell.error):
            continue
        low, high = _ends(cell)
        floor = own.axis.ends[0] if own.axis.log and own.axis.ends else low
        whiskers[f"{side}_low"] = (max(low, floor),)
        whiskers[f"{side}_high"] = (high,)
    return Stroke(
        label=group.label,
        slot=group.slot,
        dash=group.dash,
        x=(scales[0].place(spot.x.value),),
        y=(scales[1].place(spot.y.value),),
        faint=faint,
        words=(spot.words,),
        **whiskers,
    )


def _edge(corners: tuple[list[float], list[float]], scales: tuple[Scale, Scale]) -> Stroke:
    x, y = corners
    return Stroke(
        label="Pareto front",
        part="ink",
        x=tuple(scales[0].place(value) for value in x),
        y=tuple(scales[1].place(value) for value in y),
        joined=True,
        marked=False,
        width=1.5,
        in_legend=False,
    )


def _equal_errors(scales: tuple[Scale, Scale]) -> tuple[list[float], list[Stroke]]:
    """Curves b² + v = c through the drawn part of the plane, for few round c."""
    x_axis, y_axis = scales[0].axis, scales[1].axis
    if not (x_axis.log and y_axis.log and x_axis.ends and y_axis.ends):
        return [], []
    # Where zero has a place, what lies below the least positive value is no part of the plane.
    least = [10 * own.zero if own.zero else own.axis.ends[0] for own in scales if own.axis.ends]
    low = math.ceil(math.log10(max(least[0] ** 2, least[1])))
    high = math.floor(math.log10(x_axis.ends[1] ** 2 + y_axis.ends[1]))
    apart = max(1, math.ceil((high - low + 1) / ISO_LINES))
    levels = [10.0**power for power in range(low, high + 1, apart)]
    return levels, [_equal_error(level, x_axis.ends, y_axis.ends) for level in levels]


def _equal_error(level: float, x_ends: tuple[float, float], y_ends: tuple[float, float]) -> Stroke:
    # An angle goes evenly along the curve: b = √c cos φ, v = c sin² φ.
    angles = np.linspace(0, np.pi / 2, _ISO_POINTS) ** 2 / (np.pi / 2)
    b, v = math.sqrt(level) * np.cos(angles), level * np.sin(angles) ** 2
    grid = np.geomspace(*x_ends, _ISO_POINTS)
    grid = grid[grid**2 < level]
    b, v = np.concatenate([grid, b]), np.concatenate([level - grid**2, v])
    order = np.argsort(b)
    b, v = b[order], v[order]
    inside = (b >= x_ends[0]) & (b <= x_ends[1]) & (v >= y_ends[0]) & (v <= y_ends[1])
    return Stroke(
        label=f"bias² + variance = {format_value(level)}",
        part="ink",
        dash="dot",
        x=tuple(b[inside].tolist()),
        y=tuple(v[inside].tolist()),
        joined=True,
        marked=False,
        width=1.0,
        in_legend=False,
    )


def _note(table: SummaryTable, spots: list[Spot], scales: tuple[Scale, Scale]) -> str:
    parts = []
    if any(spot.x.error is not None or spot.y.error is not None for spot in spots):
        parts.append("mean ± standard error over seeds")
    if any(own.zero is not None for own in scales):
        parts.append("0 stands at the edge of its axis")
    if left := len(table.rows) - len(spots):
        parts.append(f"{left} without both figures left out")
    parts += table.counted
    return "; ".join(parts)


def _with_seeds(cell: Cell) -> str:
    return f"{cell.text} (N = {cell.n})" if cell.error is not None else cell.text


def _record(spot: Spot) -> dict[str, object]:
    group = spot.row.configuration
    found: dict[str, object] = {
        "runs": " ".join(map(str, group.run_ids)),
        "experiment": group.runs[0].experiment.name,
        "label": group.label,
        "estimator": group.estimator,
        "seeds": " ".join(map(str, group.seeds)),
    }
    for cell in (spot.x, spot.y):
        name = cell.metric.name
        found |= {name: cell.value, f"{name}_standard_error": cell.error, f"{name}_n": cell.n}
    return found
