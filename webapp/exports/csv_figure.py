"""A figure's numbers as CSV: one row a drawn point, exact, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from webapp.exports.csv_text import csv_text, safe_cell
from webapp.exports.figures import Figure
from webapp.exports.provenance import provenance_of
from webapp.exports.traces import Trace

COLUMNS = (
    "runs",
    "experiment",
    "label",
    "estimator",
    "seeds",
    "n",
    "metric",
    "unit",
    "step",
    "x_axis",
    "x",
    "value",
    "lower",
    "upper",
    "band",
    "raw",
    "code_version",
)
"""`value` is what is drawn: the mean over `seeds`, smoothed where the figure is.
`lower` and `upper` are the ends of its `band`: mean ∓ standard error over seeds, or the 95 %
confidence interval that a single run measured; all three are empty where there is neither.
`raw` is the value before smoothing, empty where nothing was smoothed."""

_BAND = {
    "standard_error": "standard error",
    "confidence": "95 % confidence",
    "quantiles": "10 % to 90 % of the runs",
}


def csv_figure(figure: Figure) -> str:
    """The drawn points of `figure`, floats with every digit that they have."""
    rows = (row for trace in figure.traces for row in _rows(figure, trace))
    return csv_text(COLUMNS, rows, origin=provenance_of(figure).as_json())


def _rows(figure: Figure, trace: Trace) -> Iterator[tuple[str, ...]]:
    runs = trace.configuration.runs
    experiment = runs[0].experiment
    before = (
        " ".join(str(run.pk) for run in runs),
        safe_cell(experiment.name),
        safe_cell(trace.label),
        safe_cell(trace.configuration.estimator),
        " ".join(str(run.seed) for run in runs),
    )
    for index in range(len(trace.x)):
        yield (
            *before,
            str(int(trace.n[index])),
            safe_cell(figure.metric.name),
            figure.metric.unit,
            str(int(trace.steps[index])),
            figure.x_axis.name,
            repr(float(trace.x[index])),
            repr(float(trace.y[index])),
            _bound(trace.lower, trace, index),
            _bound(trace.upper, trace, index),
            _BAND[trace.surrounds] if trace.surrounds and trace.is_surrounded(index) else "",
            "" if trace.raw is None else repr(float(trace.raw[index])),
            safe_cell(experiment.code_version),
        )


def _bound(values, trace: Trace, index: int) -> str:
    if values is None or not trace.is_surrounded(index):
        return ""
    return repr(float(values[index]))
