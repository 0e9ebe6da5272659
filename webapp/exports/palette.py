"""One look for every run, on the page and on paper: Okabe–Ito colours, then dash patterns."""

from __future__ import annotations

from collections import Counter

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#2b2b2b")
"""Okabe and Ito's set for colour-blind readers, without the yellow, which vanishes on white.

The page's tokens `--run-0` … `--run-6` are the same; only the last is light on a dark page.
"""

DASHES = ("solid", "dash", "dot", "dashdot")
"""Plotly's names, in the order in which they are taken."""

MATPLOTLIB_DASHES: dict[str, str | tuple[int, tuple[float, ...]]] = {
    "solid": "solid",
    "dash": (0, (5, 2)),
    "dot": (0, (1, 1.5)),
    "dashdot": (0, (5, 2, 1, 2)),
}


def slot_of(number: int) -> int:
    """Which colour, 0 to 6, a run has whose `colour` is `number`: the N of the page's `--run-N`."""
    return number % len(COLOURS)


def looks_of(numbers: list[int]) -> list[tuple[int, str]]:
    """Slot and dash pattern of each of `numbers` in one figure.

    A colour is kept for ever; a dash pattern tells apart those that share a colour beside each
    other, so that curves are solid wherever that is enough.
    """
    seen: Counter[int] = Counter()
    looks = []
    for number in numbers:
        slot = slot_of(number)
        looks.append((slot, DASHES[seen[slot] % len(DASHES)]))
        seen[slot] += 1
    return looks
