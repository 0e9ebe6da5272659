"""What the pages of several runs show of them, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from webapp.compare.baseline import Against, Change, against, with_changes
from webapp.compare.costs import COSTS, WORDS, reach_of
from webapp.compare.difference import Difference, telling_differences
from webapp.compare.findings import Finding, findings
from webapp.compare.requests import ComparisonRequest
from webapp.compare.statistics import Row, SummaryTable, summarise
from webapp.exports.configurations import Configuration, configurations
from webapp.exports.envelopes import MOST_IN_FULL, drawn_groups
from webapp.exports.metrics import METRICS, PAGE_METRICS, TABLE_METRICS, TEST_METRICS, with_tests
from webapp.exports.requests import BadRequest
from webapp.live.consumer import MOST_RUNS as MOST_FOLLOWED
from webapp.runs.models import Run
from webapp.runs.selectors import series, visible_runs

if TYPE_CHECKING:
    from webapp.accounts.models import User

MOST_CANDIDATES = 12
_LOOKED_THROUGH = 300
MOST_DIFFERENCES = 24
"""Configurations whose differences are listed: a wider table is not read."""


@dataclass(frozen=True)
class Summary:
    """The numbers of a comparison, and what they say."""

    table: SummaryTable
    findings: list[Finding]
    against: Against | None = None
    tested: tuple[Change, ...] = ()
    """The paired tests of the metric that the reader chose."""


def summary_of(runs: Sequence[Run], wanted: ComparisonRequest | None = None) -> Summary:
    """One query, whatever the number of runs. Raises `BadRequest` where the pinned run is not
    among them."""
    wanted = wanted or ComparisonRequest()
    names = [*TABLE_METRICS, *TEST_METRICS]
    if wanted.limit:
        names.append(wanted.limit.cost)
    points = series([run.pk for run in runs], names=names)
    usual = summarise(runs, points, wanted.limit)
    # What is said of an estimator is said of all its probes, whichever figures the table has.
    said = findings(usual)
    table = summarise(runs, points, wanted.limit, best=True) if wanted.best else usual
    if wanted.baseline is None:
        return Summary(table=table, findings=said)
    found = against(table, _pinned(table, wanted.baseline))
    return Summary(with_changes(table, found), said, found, tuple(found.for_metric(wanted.tested)))


def _pinned(table: SummaryTable, run: int) -> Row:
    for row in table.rows:
        if run in row.configuration.run_ids:
            return row
    among = ", ".join(row.configuration.key for row in table.rows[:12])
    allowed = f"allowed: the number of a run that is compared, such as {among}"
    raise BadRequest(f"baseline: '{run}' is not possible; {allowed}.")


def overlay_context(runs: Sequence[Run], wanted: ComparisonRequest | None = None) -> dict[str, Any]:
    """What the template `compare/_overlay.html` needs."""
    groups = configurations(runs)
    measured = {name for run in runs for name in run.summary}
    many = len(runs) > MOST_IN_FULL
    going = [run for run in runs if not run.has_ended] if many else list(runs)
    return {
        "runs": runs,
        "run_ids": ",".join(str(run.pk) for run in runs),
        "configurations": groups,
        "legend": [_legend_entry(group) for group in drawn_groups(runs)],
        "many": many,
        "metrics": [METRICS[name] for name in with_tests(PAGE_METRICS, measured)],
        "summary": summary_of(runs, wanted),
        "differences": difference_of(groups) if len(groups) <= MOST_DIFFERENCES else [],
        "followed": [followed(run) for run in going[:MOST_FOLLOWED]],
        "started": min((run.started_at for run in runs if run.started_at), default=None),
        "ended": sum(run.has_ended for run in runs),
        "steps": sum(run.step for run in runs),
        "total_steps": sum(run.total_steps for run in runs),
    }


def _legend_entry(group: Configuration) -> dict[str, Any]:
    return {
        "group": group,
        "steps": sum(run.step for run in group.runs),
        "total_steps": sum(run.total_steps for run in group.runs),
    }


def cost_choices(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The costs at which `runs` can be compared, each with what its slider goes through."""
    return [
        {
            "name": cost,
            "title": WORDS[cost],
            "unit": METRICS[cost].unit,
            "low": reach.low,
            "high": reach.high,
            "first_end": reach.first_end,
            "unknown": reach.unknown,
        }
        for cost in COSTS
        if (reach := reach_of(runs, cost))
    ]


def candidates(user: User, text: str, taken: Sequence[int]) -> list[Configuration]:
    """Configurations to add: the newest of those that every word of `text` is found in, without
    the runs `taken`."""
    found = visible_runs(user).exclude(pk__in=taken)
    for word in text.replace("\x00", "").split()[:8]:
        found = found.filter(
            Q(label__icontains=word)
            | Q(experiment__name__icontains=word)
            | Q(experiment__owner__username__icontains=word)
        )
    return configurations(found[:_LOOKED_THROUGH])[:MOST_CANDIDATES]


def difference_of(groups: Sequence[Configuration]) -> list[Difference]:
    return telling_differences(group.runs[0].spec for group in groups) if len(groups) > 1 else []


def followed(run: Run) -> dict[str, int | str]:
    """A run as the live client takes it up: what the page has already."""
    return {
        "id": run.pk,
        "sequence": run.sequence,
        "attempt": max(run.attempt, 1),
        "status": run.status,
    }
