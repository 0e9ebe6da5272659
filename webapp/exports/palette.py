"""One look for every run, on the page and on paper: Okabe–Ito colours, then dash patterns."""

from __future__ import annotations

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#2b2b2b")
"""Okabe and Ito's set for colour-blind readers, without the yellow, which vanishes on white.

The page's tokens `--run-0` … `--run-6` are the same; only the last is light on a dark page.
"""

DASHES = ("solid", "dash", "dot", "dashdot")
"""Plotly's names; every full round of colours takes the next one."""

MATPLOTLIB_DASHES: dict[str, str | tuple[int, tuple[float, ...]]] = {
    "solid": "solid",
    "dash": (0, (5, 2)),
    "dot": (0, (1, 1.5)),
    "dashdot": (0, (5, 2, 1, 2)),
}


def slot_of(number: int) -> int:
    """Which colour, 0 to 6, a run has whose `colour` is `number`: the N of the page's `--run-N`."""
    return number % len(COLOURS)


def dash_of(number: int) -> str:
    """The dash pattern of a run whose `colour` is `number`."""
    return DASHES[number // len(COLOURS) % len(DASHES)]


def distinct(numbers: list[int]) -> list[int]:
    """`numbers`, where a repeated one keeps its colour and takes the next free dash pattern.

    Runs of different experiments may have been given the same colour.
    """
    taken: set[int] = set()
    result = []
    for number in numbers:
        for _ in DASHES:
            if number not in taken:
                break
            number = (number + len(COLOURS)) % (len(COLOURS) * len(DASHES))
        taken.add(number)
        result.append(number)
    return result
