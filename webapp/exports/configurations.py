"""Runs folded into configurations: what differs only by its seed is one curve and one row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from webapp.exports.palette import COLOURS, looks_of

_SWEPT = re.compile(r"(?<=, )[\w.]+(?= = )")
"""The paths of swept fields in a label such as "Unrolled, checkpoint, inner.steps = 100"."""


class ExperimentLike(Protocol):
    name: str
    code_version: str
    spec: dict[str, Any]
    resumes: list[list[int]]
    """`[attempt, outer step]` each."""


class RunLike(Protocol):
    """What a figure needs to know of a run."""

    pk: int
    experiment_id: int
    experiment: ExperimentLike
    label: str
    configuration: str
    estimator: str
    seed: int
    colour: int
    spec: dict[str, Any]


@dataclass(frozen=True)
class Configuration:
    """One estimator with one set of options: its runs differ by seed only."""

    key: str
    """The number of its first run: short, and the same wherever these runs are together."""
    label: str
    """Tells it from the other configurations beside it, with the last part of a swept field's path
    where that is no other's."""
    full_label: str
    """The same with whole paths."""
    slot: int
    """Which of the seven run colours, for the page's tokens."""
    dash: str
    runs: tuple[RunLike, ...]

    @property
    def colour(self) -> str:
        """The hex colour on white paper."""
        return COLOURS[self.slot]

    @property
    def run_ids(self) -> list[int]:
        return [run.pk for run in self.runs]

    @property
    def seeds(self) -> list[int]:
        return [run.seed for run in self.runs]

    @property
    def estimator(self) -> str:
        return self.runs[0].estimator


def configurations(runs: Iterable[RunLike]) -> list[Configuration]:
    """`runs` grouped, in the order in which their configurations first appear.

    The same configuration in two experiments stays two groups: with equal seeds its runs are
    repetitions of the same numbers, and would make the standard error look smaller than it is.
    """
    groups: dict[str, list[RunLike]] = {}
    for run in runs:
        groups.setdefault(f"{run.experiment_id}-{run.configuration}", []).append(run)
    labels = _distinct_labels(list(groups.values()))
    looks = looks_of([members[0].colour for members in groups.values()])
    return [
        Configuration(
            key=str(members[0].pk),
            label=label,
            full_label=full,
            slot=slot,
            dash=dash,
            runs=tuple(members),
        )
        for members, label, full, (slot, dash) in zip(
            groups.values(), _shortened(labels), labels, looks, strict=True
        )
    ]


def _distinct_labels(groups: list[list[RunLike]]) -> list[str]:
    """The runs' labels; where one repeats, with what tells its experiments apart.

    That is the experiment's name, or the first run's number where the names are equal too.
    """
    first = [members[0] for members in groups]
    alike: dict[str, list[str]] = {}
    for run in first:
        alike.setdefault(run.label, []).append(run.experiment.name)
    labels = []
    for run in first:
        names = alike[run.label]
        if len(names) == 1:
            labels.append(run.label)
        elif len(set(names)) == len(names):
            labels.append(f"{run.label} · {run.experiment.name}")
        else:
            labels.append(f"{run.label} · run {run.pk}")
    return labels


def _shortened(labels: list[str]) -> list[str]:
    """`inner.steps = 100` as `steps = 100`, where no other field in `labels` ends in `steps`."""
    paths = {path for label in labels for path in _SWEPT.findall(label)}
    last = {path: path.rpartition(".")[2] for path in paths}
    times = Counter(last.values())
    names = {path: name if times[name] == 1 else path for path, name in last.items()}
    return [_SWEPT.sub(lambda path: names[path[0]], label) for label in labels]
