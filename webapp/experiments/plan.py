"""The runs of a draft as a table: a row a configuration, a column a field that is varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.spec import PlannedRun
from engine.spec.labels import readable_value, short_paths

MOST_ROWS = 40
MOST_SEEDS = 6


@dataclass(frozen=True)
class Row:
    label: str
    values: tuple[str, ...]
    """One for each varied field; `–` where it does not concern this estimator."""
    seeds: str


@dataclass(frozen=True)
class Plan:
    swept: tuple[str, ...]
    rows: tuple[Row, ...]
    hidden: int
    """How many configurations are not listed."""


def plan_of(runs: Sequence[PlannedRun], paths: Sequence[str]) -> Plan:
    """The first configurations of `runs`, each with its seeds; `paths` are varied."""
    seeds: dict[str, list[int]] = {}
    first: dict[str, PlannedRun] = {}
    for run in runs:
        first.setdefault(run.label, run)
        seeds.setdefault(run.label, []).append(run.seed)
    rows = [
        Row(
            label,
            tuple(readable_value(run.sweep[p]) if p in run.sweep else "–" for p in paths),
            _listed(seeds[label]),
        )
        for label, run in list(first.items())[:MOST_ROWS]
    ]
    return Plan(tuple(short_paths(paths).values()), tuple(rows), len(first) - len(rows))


def _listed(seeds: list[int]) -> str:
    text = ", ".join(str(seed) for seed in seeds[:MOST_SEEDS])
    return text if len(seeds) <= MOST_SEEDS else f"{text}, … ({len(seeds)})"
