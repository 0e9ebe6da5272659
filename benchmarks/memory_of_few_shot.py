"""The figure of MAML's memory against iMAML's, from the measured preset: docs/figures/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
PATH = FIGURES / "memory-of-few-shot.svg"
COLOURS = {"Unrolled, full": "#d1495b", "Unrolled, checkpoint": "#e09f3e", "Implicit": "#2f95b8"}
INK = "#7a7f87"
"""Of axes and text: legible on white and on black."""


def draw(document: dict[str, Any]) -> Path:
    """Peak bytes of one meta-gradient against inner steps, a line an estimator; seeds agree."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot
    from matplotlib.ticker import EngFormatter, FixedLocator

    lines: dict[str, dict[int, float]] = {}
    for run in document["runs"]:
        label, steps = run["label"].rsplit(", inner.steps = ", 1)
        lines.setdefault(label, {})[int(steps)] = float(run["last"]["peak_bytes"])
    with pyplot.rc_context(
        {"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
         "axes.edgecolor": INK, "svg.hashsalt": "memory-of-few-shot", "font.size": 9}
    ):  # fmt: skip
        figure, axes = pyplot.subplots(figsize=(5.2, 3.0), layout="constrained")
        for label, line in lines.items():
            colour = next(c for name, c in COLOURS.items() if label.startswith(name))
            axes.plot(list(line), list(line.values()), "o-", color=colour, markersize=4)
            last = max(line)
            below = -12 if label.startswith("Implicit") else 5
            axes.annotate(label.split(", damping")[0], (last, line[last]), (-4, below),
                          textcoords="offset points", ha="right", color=colour)  # fmt: skip
        axes.set(xlim=(0, None), ylim=(0, None), xlabel="inner steps",
                 ylabel="peak of one meta-gradient")  # fmt: skip
        axes.xaxis.set_major_locator(FixedLocator(sorted(line)))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.yaxis.set_major_formatter(EngFormatter("B"))
        axes.spines[["top", "right"]].set_visible(False)
        FIGURES.mkdir(exist_ok=True)
        figure.savefig(PATH, transparent=True, metadata={"Date": None})
        pyplot.close(figure)
    return PATH
