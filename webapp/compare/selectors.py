"""What the pages of several runs show of them, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webapp.compare.difference import Difference, differences
from webapp.compare.findings import Finding, findings
from webapp.compare.statistics import SummaryTable, summarise
from webapp.exports.configurations import Configuration, configurations
from webapp.exports.metrics import METRICS, PAGE_METRICS, TABLE_METRICS, TEST_METRICS, with_tests
from webapp.runs.models import Run
from webapp.runs.selectors import series


@dataclass(frozen=True)
class Summary:
    """The numbers of a comparison, and what they say."""

    table: SummaryTable
    findings: list[Finding]


def summary_of(runs: Sequence[Run]) -> Summary:
    """One query, whatever the number of runs."""
    names = (*TABLE_METRICS, *TEST_METRICS)
    table = summarise(runs, series([run.pk for run in runs], names=names))
    return Summary(table=table, findings=findings(table))


def overlay_context(runs: Sequence[Run]) -> dict[str, Any]:
    """What the template `compare/_overlay.html` needs."""
    groups = configurations(runs)
    measured = {name for run in runs for name in run.summary}
    return {
        "runs": runs,
        "run_ids": ",".join(str(run.pk) for run in runs),
        "configurations": groups,
        "metrics": [METRICS[name] for name in with_tests(PAGE_METRICS, measured)],
        "summary": summary_of(runs),
        "differences": difference_of(groups),
        "followed": [followed(run) for run in runs],
        "started": min((run.started_at for run in runs if run.started_at), default=None),
        "ended": sum(run.has_ended for run in runs),
        "steps": sum(run.step for run in runs),
        "total_steps": sum(run.total_steps for run in runs),
    }


def difference_of(groups: Sequence[Configuration]) -> list[Difference]:
    return differences(group.runs[0].spec for group in groups) if len(groups) > 1 else []


def followed(run: Run) -> dict[str, int | str]:
    """A run as the live client takes it up: what the page has already."""
    return {
        "id": run.pk,
        "sequence": run.sequence,
        "attempt": max(run.attempt, 1),
        "status": run.status,
    }
