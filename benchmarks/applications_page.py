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

from benchmarks import hyper_parameters_page, memory_of_few_shot
from benchmarks.applications import RESULTS, text_of
from benchmarks.applications_table import APPLICATIONS, START, Application
from engine.presets import PRESETS
from engine.spec import read_text

PAGE = RESULTS.parent / "applications.md"


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
            parts.append(_head(application.slug))
            if not path.exists():
                parts.append("Not measured yet.\n")
                continue
            parts.append(_section(json.loads(path.read_text("utf-8")), application))
        if heading == "Initial parameters":
            parts.append(_memory_of_few_shot())
        if heading == "Hyper-parameters":
            parts.append(hyper_parameters_page.section())
    return "\n".join(parts)


MEMORY = "memory-of-few-shot"


def _memory_of_few_shot() -> str:
    """The preset that is about bytes, as a figure."""
    document = json.loads((RESULTS / f"{MEMORY}.json").read_text("utf-8"))
    figure = memory_of_few_shot.draw(document).relative_to(PAGE.parent)
    alt = "Peak bytes against inner steps: linear for MAML, flat for iMAML"
    return f"{_head(MEMORY)}\n![{alt}]({figure})\n\n{_foot(document)}\n"


def _head(slug: str) -> str:
    """What a preset asks, or what stands at the top of a full-size file."""
    for preset in PRESETS:
        if preset.slug == slug:
            return f"### {preset.title}\n\n{preset.question}\n"
    text = text_of(slug)
    remarks = " ".join(line[2:] for line in text.splitlines() if line.startswith("# "))
    return f"### {read_text(text).name}\n\n{remarks}\n"


def _section(document: dict[str, Any], application: Application) -> str:
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
    foot = _foot(document)
    comment = f"\n{application.comment}\n" if application.comment else ""
    return "\n".join(rows) + f"\n\n{foot}\n{comment}"


def _foot(document: dict[str, Any]) -> str:
    """Where the figures come from."""
    count = len({run["seed"] for run in document["runs"]})
    machine = document["machine"]
    return (
        f"{count} {'seed' if count == 1 else 'seeds'}; {document['cpu_seconds']:.0f} CPU seconds "
        f"in all on {machine['cores']} cores, torch {machine['torch']}; "
        f"code {document['code_version']}, {document['date']}."
    )


def _number(values: list[float]) -> str:
    return f"{mean(values):.4g} ± {standard_error(values):.2g}"


if __name__ == "__main__":
    Path(PAGE).write_text(page(), "utf-8")
