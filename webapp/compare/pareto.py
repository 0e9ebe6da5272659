"""Which points no other is better than in both respects."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Sign = int
"""1 where lower is better, −1 where higher is."""


def front(x: Sequence[float], y: Sequence[float], signs: tuple[Sign, Sign] = (1, 1)) -> list[int]:
    """Indices of the points that none dominates, by rising x.

    A point dominates another that it is as good as in both respects and better in one; equal
    points do not dominate each other. All of `x` and `y` are finite.
    """
    across, along = signs[0] * np.asarray(x, float), signs[1] * np.asarray(y, float)
    kept: list[int] = []
    lowest, at = np.inf, np.nan
    for index in np.lexsort((along, across)):
        # What comes later is no better in x: it must be better in y, or equal to the last kept.
        if along[index] < lowest or (along[index] == lowest and across[index] == at):
            lowest, at = along[index], across[index]
            kept.append(int(index))
    return sorted(kept, key=lambda index: (x[index], y[index]))


def staircase(
    x: Sequence[float], y: Sequence[float], signs: tuple[Sign, Sign]
) -> tuple[list[float], list[float]]:
    """The edge of what the points (a front, by rising x) dominate, corner by corner."""
    corners_x, corners_y = [x[0]], [y[0]]
    for (x0, y0), (x1, y1) in pairwise(zip(x, y, strict=True)):
        # The corner is the worse of both in each respect.
        corner_x = max(signs[0] * x0, signs[0] * x1) * signs[0]
        corner_y = max(signs[1] * y0, signs[1] * y1) * signs[1]
        corners_x += [corner_x, x1]
        corners_y += [corner_y, y1]
    return corners_x, corners_y
