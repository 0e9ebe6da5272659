"""What a comparison shows, in sentences computed from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from webapp.compare.statistics import Cell, Row, SummaryTable
from webapp.exports.numbers import format_share, format_value, format_with_error

AGREES = 1e-4
"""Relative bias below which a deterministic estimate equals the oracle up to rounding: single
precision keeps seven digits, and an inner loop of hundreds of steps loses some of them."""
NOISY = 1.0
"""Relative variance from which a single estimate is more noise than signal."""
MOST_MEMORY_RATIO = 1.5
"""Ratio of peak memories from which the difference is worth a sentence."""


@dataclass(frozen=True)
class Finding:
    """A sentence about one configuration, which is named by `row` and not by the sentence."""

    row: Row
    sentence: str


def findings(table: SummaryTable) -> list[Finding]:
    """One sentence for each configuration that has been probed, then the comparison's."""
    return [*_about_each(table), *_about_loss(table), *_about_memory(table)]


def _about_each(table: SummaryTable) -> Iterator[Finding]:
    for row in table.rows:
        bias = row.value("bias_relative")
        if bias is None:
            continue
        yield Finding(row, _about_gradient(bias, row.value("cosine"), _variance(row)))


def _variance(row: Row) -> float:
    return row.value("variance_relative") or 0.0


def _about_gradient(bias: float, cosine: float | None, variance: float) -> str:
    if not math.isfinite(bias):
        return "its estimate is not finite: the inner loop or the estimator diverges."
    if variance > 0:
        size = f"variance {format_value(variance)} ×"
        sentence = f"bias {format_share(bias)} of the oracle's norm, {size} its square"
        if bias == 0:
            sentence = f"no bias above the noise of its draws, {size} the oracle's norm squared"
        if variance >= NOISY:
            return sentence + ": a single estimate is more noise than signal."
        return sentence + "."
    if bias <= AGREES:
        if bias == 0:
            return "agrees with the oracle exactly."
        return f"agrees with the oracle to rounding (relative difference {format_value(bias)})."
    sentence = f"bias {format_share(bias)} of the oracle's norm"
    if cosine is None or not math.isfinite(cosine):
        return sentence + "."
    if cosine < 0:
        return f"{sentence}, and it points the wrong way (cosine {format_value(cosine)})."
    if cosine > 0.99:
        return f"{sentence}, though it points the right way (cosine {cosine:.4f})."
    return f"{sentence}, at cosine {cosine:.2f} to it."


def _about_loss(table: SummaryTable) -> Iterator[Finding]:
    ranked = _ranked(table, "meta_loss")
    if len(ranked) < 2:
        return
    best, second = ranked[0], ranked[1]
    first_cell, second_cell = best.cell("meta_loss"), second.cell("meta_loss")
    if first_cell.text == second_cell.text:
        return
    sentence = f"lowest meta-loss at the last step, {_with_seeds(first_cell)}"
    if _within_errors(first_cell, second_cell):
        sentence += (
            f"; within the standard errors of {second.configuration.label}, {second_cell.text}."
        )
    else:
        sentence += f"; next is {second.configuration.label} with {second_cell.text}."
    yield Finding(best, sentence)


def _about_memory(table: SummaryTable) -> Iterator[Finding]:
    ranked = _ranked(table, "peak_bytes")
    if len(ranked) < 2:
        return
    least, most = ranked[0], ranked[-1]
    low, high = least.value("peak_bytes"), most.value("peak_bytes")
    if not low or high is None or high / low < MOST_MEMORY_RATIO:
        return
    yield Finding(
        least,
        f"least memory, {format_value(low, 'B')}: {high / low:.2g}× less than "
        f"{most.configuration.label}.",
    )


def _ranked(table: SummaryTable, name: str) -> list[Row]:
    known = [row for row in table.rows if math.isfinite(_or_nan(row.value(name)))]
    return sorted(known, key=lambda row: _or_nan(row.value(name)))


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _with_seeds(cell: Cell) -> str:
    text = format_with_error(_or_nan(cell.value), cell.error, cell.metric.unit)
    return f"{text} (N = {cell.n})" if cell.error is not None else text


def _within_errors(first: Cell, second: Cell) -> bool:
    """Whether the two means are closer than their standard errors together."""
    if first.error is None or second.error is None:
        return False
    difference = abs(_or_nan(first.value) - _or_nan(second.value))
    return difference <= math.hypot(first.error, second.error)
