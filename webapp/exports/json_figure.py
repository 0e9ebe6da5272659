"""A figure or a table as JSON: its origin, and the numbers that are drawn."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.plain import to_json
from webapp.compare.statistics import SummaryTable
from webapp.exports.figures import BAND_WORDS, Figure
from webapp.exports.provenance import provenance_of, provenance_of_summary
from webapp.exports.traces import Trace


def json_figure(figure: Figure) -> str:
    """`{"provenance": …, "figure": …}`; numbers that are not finite are "nan", "inf", "-inf"."""
    drawn = {
        "metric": figure.metric.name,
        "title": figure.title,
        "unit": figure.metric.unit,
        "x_axis": figure.x_axis.name,
        "x_unit": figure.x_axis.unit,
        "log": figure.y_axis.log,
        "smoothing": figure.smoothing,
        "curves": [_curve(trace) for trace in figure.traces],
    }
    return to_json({"provenance": asdict(provenance_of(figure)), "figure": drawn}, indent=1)


def json_summary(table: SummaryTable) -> str:
    """`{"provenance": …, "rows": …}`, a row for each configuration."""
    rows = [
        {
            "label": row.configuration.label,
            "estimator": row.configuration.estimator,
            "runs": row.configuration.run_ids,
            "seeds": row.configuration.seeds,
            "figures": [
                {
                    "metric": cell.metric.name,
                    "unit": cell.metric.unit,
                    "condensed": column.words,
                    "mean": cell.value,
                    "standard_error": cell.error,
                    "n": cell.n,
                    "best": cell.best,
                }
                for column, cell in zip(table.columns, row.cells, strict=True)
            ],
        }
        for row in table.rows
    ]
    return to_json({"provenance": asdict(provenance_of_summary(table)), "rows": rows}, indent=1)


def _curve(trace: Trace) -> dict[str, Any]:
    ends = (trace.lower, trace.upper)
    return {
        "label": trace.label,
        "estimator": trace.configuration.estimator,
        "runs": trace.configuration.run_ids,
        "seeds": trace.configuration.seeds,
        "step": trace.steps.tolist(),
        "x": trace.x.tolist(),
        "value": trace.y.tolist(),
        "n": trace.n.tolist(),
        "raw": None if trace.raw is None else trace.raw.tolist(),
        "band": BAND_WORDS[trace.surrounds] if trace.surrounds else None,
        "lower": None if ends[0] is None else ends[0].tolist(),
        "upper": None if ends[1] is None else ends[1].tolist(),
        "marks": [asdict(mark) for mark in trace.marks],
    }
