"""What the address of a comparison says beside its runs, read and refused with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from webapp.compare.costs import Limit
from webapp.exports.metrics import METRICS, TABLE_METRICS, TEST_METRICS, Metric
from webapp.exports.requests import BadRequest, read_best, read_limit

COMPARED = tuple(
    name for name in (*TABLE_METRICS, *TEST_METRICS) if METRICS[name].better or name == "seconds"
)
"""What can be traded against each other, tested, and drawn against a field."""
OF = "of."
"""Before the path of a field: which metric is drawn against it."""


@dataclass(frozen=True)
class ComparisonRequest:
    """How runs are compared: the state that the page keeps in its address."""

    limit: Limit | None = None
    best: bool = False
    """Whether the table is of the best of each run."""
    baseline: int | None = None
    """The number of a run of the pinned configuration."""
    tested: Metric = METRICS["meta_loss"]
    across: Metric = METRICS["peak_bytes"]
    along: Metric = METRICS["bias_relative"]
    against: Mapping[str, Metric] = field(default_factory=dict)
    """The metric that is drawn against a field, by the field's path."""


def read_comparison(query: Mapping[str, str]) -> ComparisonRequest:
    """`cost`, `at`, `of`, `baseline`, `tested`, `across`, `along` and `of.…` of the query."""
    usual = ComparisonRequest()
    return ComparisonRequest(
        limit=read_limit(query),
        best=read_best(query),
        baseline=_read_baseline(query),
        tested=_read_metric(query, "tested", usual.tested),
        across=_read_metric(query, "across", usual.across),
        along=_read_metric(query, "along", usual.along),
        against={
            name.removeprefix(OF): _read_metric(query, name, usual.tested)
            for name in query
            if name.startswith(OF)
        },
    )


def _read_baseline(query: Mapping[str, str]) -> int | None:
    given = query.get("baseline", "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise BadRequest(f"baseline: {given[:60]!r} is not possible; allowed: a run's number.")
    return int(given)


def _read_metric(query: Mapping[str, str], name: str, usual: Metric) -> Metric:
    given = query.get(name) or usual.name
    if given not in COMPARED:
        allowed = ", ".join(COMPARED)
        raise BadRequest(f"{name}: {given[:60]!r} is not possible; allowed: {allowed}.")
    return METRICS[given]
