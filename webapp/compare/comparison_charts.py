"""The charts of a comparison: which there are, in their order, and what can be chosen for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webapp.compare.parallel import parallel
from webapp.compare.requests import COMPARED, OF, ComparisonRequest
from webapp.compare.responses import fields_of, metrics_of, response, usual_metric
from webapp.compare.statistics import SummaryTable
from webapp.compare.trade_offs import bias_variance, pareto
from webapp.exports.charts import Chart
from webapp.exports.metrics import METRICS, Metric
from webapp.exports.plotly_chart import page_chart


@dataclass(frozen=True)
class Choice:
    """A select above a chart: its name in the address, its value and what else there is."""

    name: str
    title: str
    value: Metric


@dataclass(frozen=True)
class Offered:
    chart: Chart
    choices: tuple[Choice, ...] = ()


def comparison_charts(table: SummaryTable, wanted: ComparisonRequest) -> Iterator[Offered]:
    """Pareto, bias beside variance, a metric against each field that varies, all fields at once."""
    yield Offered(
        pareto(table, wanted.across, wanted.along),
        (Choice("across", "Across", wanted.across), Choice("along", "Along", wanted.along)),
    )
    for field in fields_of(table):
        metric = wanted.against.get(field.path, METRICS[usual_metric(field.path)])
        if chart := response(table, field.path, metric):
            yield Offered(chart, (Choice(OF + field.path, "Metric", metric),))
    for drawn in (bias_variance(table), parallel(table)):
        if drawn:
            yield Offered(drawn)


def as_json(offered: Offered, table: SummaryTable) -> dict[str, Any]:
    measured = [metric for metric in metrics_of(table) if metric.name in COMPARED]
    return {
        **page_chart(offered.chart),
        "choices": [
            {
                "name": choice.name,
                "title": choice.title,
                "value": choice.value.name,
                "options": [
                    [metric.name, metric.title]
                    for metric in dict.fromkeys([choice.value, *measured])
                ],
            }
            for choice in offered.choices
        ],
    }
