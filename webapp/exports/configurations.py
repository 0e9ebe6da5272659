"""Runs folded into configurations: what differs only by its seed is one curve and one row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from webapp.exports.palette import COLOURS, looks_of


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
    """Tells it from the other configurations beside it."""
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
            key=str(members[0].pk), label=label, slot=slot, dash=dash, runs=tuple(members)
        )
        for members, label, (slot, dash) in zip(groups.values(), labels, looks, strict=True)
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
