"""docs/applications.md from docs/results/: what was measured, and whether meta-learning paid.

python -m benchmarks.applications_page
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Literal

from benchmarks.applications import RESULTS
from engine.presets import PRESETS

PAGE = RESULTS.parent / "applications.md"
START = "start"


@dataclass(frozen=True, kw_only=True)
class Application:
    """A claim: the figure `metric` after the last outer step beats `against`."""

    slug: str
    metric: str
    better: Literal["lower", "higher"]
    against: str = START
    """`start`: the same figure at the first outer step; else another series of the same run."""
    without: str
    """What not meta-learning means here, in words."""
    comment: str = ""
    """What there is to say about the result: where it does not hold, why."""


APPLICATIONS: dict[str, list[Application]] = {
    "Initial parameters": [
        Application(
            slug="sinusoids",
            metric="test_loss",
            better="lower",
            without="the random start",
        ),
        Application(
            slug="few-shot",
            metric="test_accuracy",
            better="higher",
            without="the random start",
        ),
        Application(
            slug="few-shot-implicit",
            metric="test_accuracy",
            better="higher",
            without="the random start",
        ),
        Application(
            slug="meta-sgd",
            metric="test_accuracy",
            better="higher",
            without="the random start",
        ),
    ],
    "Learners without gradient steps": [
        Application(
            slug="prototypes",
            metric="test_accuracy",
            better="higher",
            without="the random network",
        ),
        Application(
            slug="convex-heads",
            metric="test_accuracy",
            better="higher",
            without="the random network",
        ),
        Application(
            slug="black-boxes",
            metric="test_accuracy",
            better="higher",
            without="the random network",
        ),
    ],
    "Learned optimizers": [
        Application(
            slug="learned-schedule",
            metric="meta_loss",
            better="lower",
            without="the first schedule",
        ),
        Application(
            slug="learned-optimizer",
            metric="test_loss",
            better="lower",
            against="test_loss_adam",
            without="tuned Adam",
        ),
        Application(
            slug="recurrent-optimizer",
            metric="test_loss",
            better="lower",
            against="test_loss_adam",
            without="tuned Adam",
        ),
        Application(
            slug="learned-adam",
            metric="test_loss",
            better="lower",
            against="test_loss_adam",
            without="tuned Adam",
        ),
    ],
    "Hyper-parameters": [
        Application(
            slug="a-penalty-for-every-weight",
            metric="test_loss",
            better="lower",
            without="one small penalty",
        ),
    ],
    "Data": [
        Application(
            slug="distilled-digits",
            metric="test_accuracy",
            better="higher",
            without="where the images start",
        ),
        Application(
            slug="distilled-garments",
            metric="test_accuracy",
            better="higher",
            without="random real images",
        ),
        Application(
            slug="condensed-garments",
            metric="test_accuracy",
            better="higher",
            against="test_accuracy_real",
            without="random real images",
        ),
    ],
    "Losses": [
        Application(
            slug="wrong-labels",
            metric="test_accuracy",
            better="higher",
            without="equal weights",
        ),
        Application(
            slug="learned-loss",
            metric="test_accuracy",
            better="higher",
            without="cross-entropy",
        ),
    ],
    "Architectures": [
        Application(
            slug="differentiable-cell",
            metric="test_accuracy",
            better="higher",
            against="test_accuracy_random",
            without="random cells",
        ),
        Application(
            slug="controller",
            metric="test_accuracy",
            better="higher",
            without="the first policy",
        ),
    ],
    "Augmentation": [
        Application(
            slug="augmentation-network",
            metric="test_accuracy",
            better="higher",
            without="no augmentation",
        ),
        Application(
            slug="augmentation-magnitudes",
            metric="test_accuracy",
            better="higher",
            without="hardly any augmentation",
        ),
    ],
}
"""By the heading that they stand under."""


@dataclass(frozen=True)
class Gain:
    """How much better than without, over seeds; positive is better."""

    before: list[float]
    after: list[float]
    better: Literal["lower", "higher"]

    @property
    def differences(self) -> list[float]:
        sign = 1.0 if self.better == "higher" else -1.0
        return [sign * (b - a) for a, b in zip(self.before, self.after, strict=True)]

    @property
    def verdict(self) -> str:
        size, error = mean(self.differences), standard_error(self.differences)
        if size <= 0.0:
            return "no better"
        if size <= error:
            return "better by less than its standard error"
        return "better" if error == 0.0 else f"better, {size / error:.1f} standard errors"


def standard_error(values: list[float]) -> float:
    """Of the mean; 0 for a single value."""
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def gains(document: dict[str, Any], application: Application) -> dict[str, Gain | str]:
    """By the label of each configuration; a sentence in place of one that has no figures."""
    found: dict[str, Gain | str] = {}
    labels = list(dict.fromkeys(run["label"] for run in document["runs"]))
    for label in labels:
        runs = [run for run in document["runs"] if run["label"] == label]
        failed = [run for run in runs if run["status"] == "failed"]
        if failed:
            found[label] = f"failed: {failed[0]['reason']}"
            continue
        source, series = ("first", application.metric)
        if application.against != START:
            source, series = ("last", application.against)
        if not all(series in run[source] and application.metric in run["last"] for run in runs):
            found[label] = f"has no {application.metric}"
            continue
        before = [float(run[source][series]) for run in runs]
        after = [float(run["last"][application.metric]) for run in runs]
        found[label] = Gain(before, after, application.better)
    return found


def page() -> str:
    """The whole document."""
    titles = {preset.slug: preset for preset in PRESETS}
    parts = [
        "# What meta-learning gains\n",
        "Every figure here was measured by `python -m benchmarks.applications`, which runs the "
        "presets over seeds and keeps the results in `docs/results/`; "
        "`python -m benchmarks.applications_page` writes this page. A gain is the mean over the "
        "seeds of the paired difference, ± its standard error.\n",
    ]
    for heading, applications in APPLICATIONS.items():
        parts.append(f"## {heading}\n")
        for application in applications:
            path = RESULTS / f"{application.slug}.json"
            preset = titles[application.slug]
            parts.append(f"### {preset.title}\n\n{preset.question}\n")
            if not path.exists():
                parts.append("Not measured yet.\n")
                continue
            parts.append(_section(json.loads(path.read_text("utf-8")), application))
    return "\n".join(parts)


def _section(document: dict[str, Any], application: Application) -> str:
    seeds = len({run["seed"] for run in document["runs"]})
    name = application.metric.replace("_", " ")
    rows = [
        f"| {name} | {application.without} | meta-learned | gain | |",
        "|---|---|---|---|---|",
    ]
    for label, gain in gains(document, application).items():
        if isinstance(gain, str):
            rows.append(f"| {label} | | | | {gain} |")
            continue
        size, error = mean(gain.differences), standard_error(gain.differences)
        rows.append(
            f"| {label} | {_number(gain.before)} | {_number(gain.after)} "
            f"| {size:.3g} ± {error:.2g} | {gain.verdict} |"
        )
    machine = document["machine"]
    foot = (
        f"{seeds} seeds; {document['cpu_seconds']:.0f} CPU seconds in all on {machine['cores']} "
        f"cores, torch {machine['torch']}; code {document['code_version']}, {document['date']}."
    )
    comment = f"\n{application.comment}\n" if application.comment else ""
    return "\n".join(rows) + f"\n\n{foot}\n{comment}"


def _number(values: list[float]) -> str:
    return f"{mean(values):.4g} ± {standard_error(values):.2g}"


if __name__ == "__main__":
    Path(PAGE).write_text(page(), "utf-8")
