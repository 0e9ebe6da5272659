"""Curves small enough for a list: one polyline a run, on one scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from webapp.exports.palette import slot_of
from webapp.runs.models import Run

WIDTH, HEIGHT, MARGIN = 240, 56, 3
MOST_POINTS = 60

Series = Mapping[int, Mapping[str, tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class Line:
    colour: int
    points: str


@dataclass(frozen=True)
class Sparkline:
    lines: list[Line]
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(runs: Iterable[Run], losses: Series) -> Sparkline:
    """The meta-loss of `runs`, over all of their outer steps, on one linear scale.

    Non-finite values are left out of a drawing this small; the run's page marks them.
    """
    curves = {run: _finite(losses[run.pk]["meta_loss"]) for run in runs if run.pk in losses}
    curves = {run: curve for run, curve in curves.items() if curve[0].size}
    if not curves:
        return Sparkline([])
    everything = np.concatenate([values for _, values in curves.values()])
    lowest, span = everything.min(), np.ptp(everything) or 1.0
    lines = []
    for run, (steps, values) in curves.items():
        x = MARGIN + steps / max(run.total_steps - 1, 1) * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN - (values - lowest) / span * (HEIGHT - 2 * MARGIN)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        lines.append(Line(slot_of(run.colour), points))
    return Sparkline(lines)


def _finite(curve: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    steps, values = curve
    finite = np.isfinite(values)
    steps, values = steps[finite], values[finite]
    kept = np.unique(np.linspace(0, max(steps.size - 1, 0), MOST_POINTS).astype(int))[: steps.size]
    return steps[kept], values[kept]
