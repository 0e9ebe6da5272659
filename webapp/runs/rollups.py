"""Long series condensed: for every stretch of outer steps its lowest, highest and mean value.

A cell of width w with index i condenses the entries of the outer steps i·w to (i+1)·w − 1. Cells
are stored beside the points that they condense, and cells of a multiple of their width are merged
from them, so that a curve of a million points is drawn from some thousand cells.
"""

from __future__ import annotations

import numpy as np

CELL_STEPS = 32
"""Outer steps in a stored cell."""
FEWEST_ENTRIES = 4 * CELL_STEPS
"""Shorter chunks are read as fast without."""

CELL = np.dtype(
    [
        ("index", "<i4"),
        ("first", "<i4"),  # outer step of the first entry
        ("last", "<i4"),
        ("count", "<i4"),  # entries
        ("non_finite", "<i4"),  # of them
        ("low_step", "<i4"),  # where the lowest finite value is first reached
        ("high_step", "<i4"),
        ("low", "<f8"),  # +inf where no value is finite
        ("high", "<f8"),  # −inf where no value is finite
        ("mean", "<f8"),  # of the finite values; NaN where there is none
    ]
)


def cells_of(steps: np.ndarray, values: np.ndarray, width: int = CELL_STEPS) -> np.ndarray:
    """The cells of width `width` that have an entry, in order.

    `steps` (int64, rising) and `values` (float64) have equal lengths.
    """
    index = steps // width
    starts, group = _groups(index)
    finite = np.isfinite(values)
    count = np.bincount(group, minlength=len(starts))
    measured = np.bincount(group, weights=finite, minlength=len(starts)).astype(np.int64)
    share = 1.0 / np.maximum(measured, 1)
    # Each value is divided first: a sum of large ones would overflow where their mean does not.
    mean = _sums(np.where(finite, values, 0.0) * share[group], starts)
    return _cells(
        index[starts], steps[starts], steps[starts + count - 1], count, count - measured,
        _lowest(np.where(finite, values, np.inf), steps, starts, group),
        _lowest(np.where(finite, -values, np.inf), steps, starts, group),
        mean,
    )  # fmt: skip


def merged(cells: np.ndarray, times: int = 1) -> np.ndarray:
    """Cells `times` as wide as `cells`, which are in order; a cell that came in two is one."""
    index = cells["index"] // times
    starts, group = _groups(index)
    count = _sums(cells["count"], starts)
    non_finite = _sums(cells["non_finite"], starts)
    own = cells["count"] - cells["non_finite"]
    share = own / np.maximum(count - non_finite, 1)[group]
    mean = _sums(np.where(own > 0, cells["mean"], 0.0) * share, starts)
    ends = np.append(starts[1:], len(cells))[: len(starts)] - 1
    return _cells(
        index[starts], cells["first"][starts], cells["last"][ends], count, non_finite,
        _lowest(cells["low"], cells["low_step"], starts, group),
        _lowest(-cells["high"], cells["high_step"], starts, group),
        mean,
    )  # fmt: skip


def stored(steps: np.ndarray, values: np.ndarray) -> bytes | None:
    """The cells to keep beside a chunk; None where they would save less than half of it."""
    if len(steps) < FEWEST_ENTRIES:
        return None
    cells = cells_of(steps, values)
    return cells.tobytes() if 2 * cells.nbytes < steps.nbytes + values.nbytes else None


def read(content: bytes) -> np.ndarray:
    return np.frombuffer(content, CELL)


def _groups(index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each run of equal `index` starts, and for each entry which run it is in."""
    new = np.ones(len(index), dtype=bool)
    new[1:] = index[1:] != index[:-1]
    return np.flatnonzero(new), np.cumsum(new) - 1


def _sums(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(values, starts) if len(starts) else values[:0]


def _lowest(
    heights: np.ndarray, steps: np.ndarray, starts: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The lowest height of each group, and the step where it is first reached."""
    if not len(starts):
        return heights[:0], steps[:0]
    low = np.minimum.reduceat(heights, starts)
    reached = np.flatnonzero(heights == low[group])
    first, _ = _groups(group[reached])
    return low, steps[reached[first]]


def _cells(
    index: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    count: np.ndarray,
    non_finite: np.ndarray,
    lowest: tuple[np.ndarray, np.ndarray],
    negated_highest: tuple[np.ndarray, np.ndarray],
    mean: np.ndarray,
) -> np.ndarray:
    cells = np.empty(len(index), CELL)
    cells["index"], cells["first"], cells["last"] = index, first, last
    cells["count"], cells["non_finite"] = count, non_finite
    cells["low"], cells["low_step"] = lowest
    cells["high"], cells["high_step"] = -negated_highest[0], negated_highest[1]
    # Rounding must not put a mean outside of what it is the mean of.
    inside = np.clip(mean, cells["low"], cells["high"])
    cells["mean"] = np.where(cells["count"] > cells["non_finite"], inside, np.nan)
    return cells
