"""Every chart, explained: the metrics from the catalogue that figures and exports read, then the
pictures that compare runs in other ways."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.utils.safestring import SafeString

from webapp.exports.metrics import METRICS, PAGE_METRICS, SUMMARY_WORDS, TEST_METRICS, Metric
from webapp.help.formulas import METRICS as FORMULAS
from webapp.help.mathematics import mathml

UNITS = {"s": "seconds", "B": "bytes", "%": "per cent of examples", "": ""}
OTHER_CHAPTER = "Figures and diagnostics"
CHAPTERS = ["What every run measures", "On what neither loop has seen", OTHER_CHAPTER]


@dataclass(frozen=True, kw_only=True)
class ChartEntry:
    """What the help says of one chart."""

    place: str
    title: str
    explanation: str
    chapter: str
    unit: str = ""
    allowed: str = ""
    axis: str = ""
    summary: str = ""
    better: str = ""
    formula: SafeString | None = None


PICTURES = (
    ChartEntry(
        place="theta",
        title="θ: a meta-parameter",
        explanation="Value of the meta-parameter before each outer step; a run with at most 16 "
        "scalars in θ has one such chart for each.",
        chapter="Pictures and comparisons",
        axis="linear",
    ),
    ChartEntry(
        place="particles",
        title="Particles over the meta-loss",
        explanation="What a search proposed in one generation, as dots over the contour of the "
        "meta-loss; the slider goes from generation to generation.",
        chapter="Pictures and comparisons",
    ),
    ChartEntry(
        place="band",
        title="A band around a line",
        explanation="The line is the mean over the seeds of one configuration; the band is one "
        "standard error of that mean to each side, and N says of how many seeds.",
        chapter="Pictures and comparisons",
        formula=mathml(r"\bar x \pm \frac{s}{\sqrt{N}}"),
    ),
    ChartEntry(
        place="pareto",
        title="Pareto front",
        explanation="Each configuration at its two costs; one that another beats in both is "
        "dominated and drawn faint, the rest is the front to choose from.",
        chapter="Pictures and comparisons",
    ),
    ChartEntry(
        place="bias-variance",
        title="Bias–variance plane",
        explanation="Squared bias against variance of each configuration; along a diagonal the "
        "mean squared error of the estimate is the same.",
        chapter="Pictures and comparisons",
        axis="logarithmic",
        formula=mathml(
            r"\mathbb{E}{\lVert \hat g - g^{\ast} \rVert}^2 = "
            r"{\lVert \mathbb{E}[\hat g] - g^{\ast} \rVert}^2 "
            r"+ \operatorname{tr} \operatorname{Cov} \hat g"
        ),
    ),
    ChartEntry(
        place="response",
        title="A figure against what was varied",
        explanation="What each configuration reached against a number that differs between them: "
        "memory against the horizon T, say, of which a full graph needs ever more and implicit or "
        "forward mode does not, or the bias against the window K, which is exact at K = T.",
        chapter="Pictures and comparisons",
    ),
    ChartEntry(
        place="parallel",
        title="Settings and what they reached",
        explanation="A line for each configuration, from axis to axis: what was set on the left, "
        "what was measured on the right, every axis stretched from its lowest to its highest.",
        chapter="Pictures and comparisons",
    ),
    ChartEntry(
        place="envelope",
        title="A shaded envelope",
        explanation="Where there are too many runs for a mean each: eight in ten of them lie in "
        "the shade, and the line is their median.",
        chapter="Pictures and comparisons",
    ),
    ChartEntry(
        place="equal-cost",
        title="At equal cost",
        explanation="Every run is cut where it had spent the same seconds, inner steps or gradient "
        "evaluations: what each estimator makes of one budget.",
        chapter="Pictures and comparisons",
    ),
    ChartEntry(
        place="forecast",
        title="Forecast against measured",
        explanation="Each finished run at what was forecast for it and what was then measured; on "
        "the diagonal the forecast was right.",
        chapter="Pictures and comparisons",
        axis="logarithmic",
    ),
    ChartEntry(
        place="graph-size",
        title="Size of the computation graph",
        explanation="Numbers that backpropagation through the whole inner loop must keep, for each "
        "step and in all.",
        chapter="Pictures and comparisons",
        axis="logarithmic",
    ),
)


@cache
def entries() -> dict[str, ChartEntry]:
    """Every chart by its place: the metric's name, or the picture's."""
    found = {name: _of_metric(metric) for name, metric in METRICS.items()}
    ordered = sorted(found.values(), key=lambda entry: CHAPTERS.index(entry.chapter))
    return {entry.place: entry for entry in (*ordered, *PICTURES)}


def place_of(metric: str) -> str:
    """The place that explains the chart called `metric`: every meta-parameter is explained at one,
    and so is every figure against what was varied."""
    for prefix, place in (("theta.", "theta"), ("response:", "response")):
        if metric.startswith(prefix):
            return place
    return metric


def _of_metric(metric: Metric) -> ChartEntry:
    formula = FORMULAS.get(metric.name)
    return ChartEntry(
        place=metric.name,
        title=metric.title,
        explanation=metric.explanation,
        chapter=_chapter(metric.name),
        unit=UNITS[metric.unit],
        allowed=_limits(metric),
        axis="logarithmic" if metric.log else "linear",
        summary=SUMMARY_WORDS[metric.summary],
        better=metric.better,
        formula=mathml(formula) if formula else None,
    )


def _chapter(name: str) -> str:
    if name in PAGE_METRICS:
        return CHAPTERS[0]
    return CHAPTERS[1] if name in TEST_METRICS else OTHER_CHAPTER


def _limits(metric: Metric) -> str:
    if metric.limits:
        low, high = metric.limits
        return f"{low:g} to {high:g}".replace("-", "−")
    if metric.unit == "%":
        return "0 to 100"
    return "above 0" if metric.log else ""
