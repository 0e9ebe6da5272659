"""A chart as a file: drawn for paper, or its numbers as CSV, JSON or a table for LaTeX."""

from __future__ import annotations

from dataclasses import asdict

from engine.plain import to_json
from webapp.exports.charts import Chart
from webapp.exports.csv_text import csv_text, safe_cell
from webapp.exports.latex import latex_table
from webapp.exports.paper import Font, Size
from webapp.exports.print_chart import print_chart
from webapp.exports.provenance import provenance_of_chart


def chart_content(chart: Chart, extension: str, size: Size, font: Font) -> bytes | str:
    """`extension` is one of svg, pdf, png, csv, json and tex."""
    write = {"csv": _csv, "json": _json, "tex": _latex}.get(extension)
    return write(chart) if write else print_chart(chart, extension, size, font)


def _csv(chart: Chart) -> str:
    """A row a point, floats with every digit that they have."""
    columns = list(dict.fromkeys(name for record in chart.records for name in record))
    rows = ([_cell(record.get(name)) for name in columns] for record in chart.records)
    return csv_text(
        [safe_cell(c) for c in columns], rows, origin=provenance_of_chart(chart).as_json()
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else safe_cell(str(value))


def _json(chart: Chart) -> str:
    """`{"provenance": …, "chart": …}`; numbers that are not finite are "nan", "inf", "-inf"."""
    drawn = {
        "name": chart.name,
        "title": chart.title,
        "x": chart.x_axis.title,
        "y": chart.y_axis.title,
        "note": chart.note,
        "points": [dict(record) for record in chart.records],
    }
    return to_json({"provenance": asdict(provenance_of_chart(chart)), "chart": drawn}, indent=1)


def _latex(chart: Chart) -> str:
    caption = f"{chart.title}; {chart.note}." if chart.note else f"{chart.title}."
    return latex_table(
        chart.header, chart.rows, caption=caption, origin=provenance_of_chart(chart).as_json()
    )
