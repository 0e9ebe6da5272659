"""Memory against the horizon: forecast as lines, measured as dots; docs/figures and docs/results.

python -m benchmarks.memory_against_horizon
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from benchmarks.applications import RESULTS, provenance
from benchmarks.horizons import ESTIMATORS, HORIZONS, experiment_of, peak
from engine.forecast.forecasting import forecast

PATH = RESULTS / "memory-against-horizon.json"
FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "memory-against-horizon.svg"
FORECAST_HORIZONS = (10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
COLOURS = (
    "#d1495b", "#2f95b8", "#e09f3e", "#6a9f58", "#9c6fb6", "#b07d62", "#5b8def", "#d77fa1",
    "#8a8f3c",
)  # fmt: skip
INK = "#7a7f87"
"""Of axes and text: legible on white and on black."""


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    for label, spec in tqdm(ESTIMATORS.items(), unit="estimator"):
        forecasts = {t: _forecast(spec, t) for t in FORECAST_HORIZONS}
        measured = {t: peak(experiment_of(spec, t)) for t in HORIZONS}
        rows.append({"label": label, "spec": spec, "forecast": forecasts, "measured": measured})
    document = json.loads(json.dumps({**provenance(), "estimators": rows}))
    PATH.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    draw(document)
    print(table(document))


def _forecast(spec: dict[str, Any], horizon: int) -> int:
    [found] = forecast(experiment_of(spec, horizon))
    return found.peak_bytes


def table(document: dict[str, Any]) -> str:
    """Markdown: forecast beside measured MB where both are."""
    lines = [
        "| forecast / measured MB | " + " | ".join(f"T = {t:,}" for t in HORIZONS) + " | forecast, "
        "T = 100,000 |",
        "|---|" + "---|" * (len(HORIZONS) + 1),
    ]
    for row in document["estimators"]:
        pairs = [
            f"{row['forecast'][str(t)] / 1e6:.2f} / {row['measured'][str(t)] / 1e6:.2f}"
            for t in HORIZONS
        ]
        longest = f"{row['forecast'][str(FORECAST_HORIZONS[-1])] / 1e6:,.4g}"
        lines.append(f"| {row['label']} | {' | '.join(pairs)} | {longest} |")
    return "\n".join(lines)


def draw(document: dict[str, Any]) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot
    from matplotlib.ticker import EngFormatter

    look = {
        "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
        "axes.edgecolor": INK, "svg.hashsalt": "memory-against-horizon", "font.size": 9,
        "legend.labelcolor": INK,
    }  # fmt: skip
    with pyplot.rc_context(look):
        figure, axes = pyplot.subplots(figsize=(7.4, 3.8), layout="constrained")
        for row, colour in zip(document["estimators"], COLOURS, strict=True):
            lines = {int(t): size for t, size in row["forecast"].items()}
            dots = {int(t): size for t, size in row["measured"].items()}
            axes.plot(list(lines), list(lines.values()), color=colour, label=row["label"])
            axes.plot(list(dots), list(dots.values()), "o", color=colour, markersize=4.5)
        axes.set(xscale="log", yscale="log", xlabel="horizon T (inner steps)",
                 ylabel="peak of one estimate")  # fmt: skip
        axes.yaxis.set_major_formatter(EngFormatter("B"))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        FIGURE.parent.mkdir(exist_ok=True)
        figure.savefig(FIGURE, transparent=True, metadata={"Date": None})
        pyplot.close(figure)


if __name__ == "__main__":
    main()
