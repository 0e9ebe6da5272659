"""Lines over one axis: a learned one solid, what it is compared with dashed."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from engine.pictures import Curves, Line
from webapp.exports.numbers import format_value
from webapp.exports.palette import COLOURS, DASHES, MATPLOTLIB_DASHES
from webapp.exports.paper import Size, add_legend, dress, legend_height
from webapp.exports.pictures.axes import Axis, axis, on_matplotlib, plotly_text
from webapp.exports.pictures.view import Table, View, picked

MOST_MARKERS = 20


class CurvesView(View):
    drawing: Curves

    @cached_property
    def looks(self) -> list[tuple[int, str]]:
        """Colour's number and dash of each line. The nth dashed line has the colour of the nth
        solid one: they belong together."""
        counts = {False: 0, True: 0}
        looks = []
        for line in self.drawing.lines:
            number = counts[line.dashed]
            counts[line.dashed] += 1
            dashes = DASHES[1:] if line.dashed else (DASHES[0], *DASHES[2:])
            looks.append((number % len(COLOURS), dashes[number // len(COLOURS) % len(dashes)]))
        return looks

    @cached_property
    def axes(self) -> tuple[Axis, Axis]:
        drawing = self.drawing
        across = [x for line in drawing.lines for x in line.x]
        along = [y for line in drawing.lines for y in line.y]
        return (
            axis(drawing.x_title, drawing.log_x, across),
            axis(drawing.y_title, drawing.log_y, along),
        )

    def _points(self, line: Line) -> tuple[list[float | None], list[float | None]]:
        """x and y, with a gap where an axis has no place for a point."""
        x, y = self.axes
        return [x.place(value) for value in line.x], [y.place(value) for value in line.y]

    def page(self) -> dict[str, Any]:
        x, y = self.axes
        data = []
        for line, (slot, dash) in zip(self.drawing.lines, self.looks, strict=True):
            across, along = self._points(line)
            data.append(
                {
                    "type": "scatter",
                    "name": plotly_text(line.label),
                    "x": across,
                    "y": along,
                    "mode": "lines+markers" if len(line.x) <= MOST_MARKERS else "lines",
                    "line": {"dash": dash, "width": 2},
                    "marker": {"size": 5},
                    "meta": {"slot": slot, "part": "line"},
                }
            )
        layout = {
            "xaxis": x.plotly(),
            "yaxis": y.plotly(),
            "margin": {"l": 60, "r": 14, "t": 10, "b": 44},
            "hovermode": "x unified" if len(data) <= 8 else "closest",
            "showlegend": False,
        }
        legend = [
            {"label": line.label, "slot": slot, "dash": dash}
            for line, (slot, dash) in zip(self.drawing.lines, self.looks, strict=True)
        ]
        return {"plotly": {"data": data, "layout": layout}, "legend": legend}

    def words(self) -> str:
        said = [text for line in self.drawing.lines[:8] if (text := self._course(line))]
        left = len(self.drawing.lines) - 8
        more = f" And {left} more lines." if left > 0 else ""
        titles = f"{self.drawing.y_title} against {self.drawing.x_title}"
        return f"{titles}. {'; '.join(said)}.{more}"

    def _course(self, line: Line) -> str:
        points = [(x, y) for x, y in zip(line.x, line.y, strict=True) if None not in (x, y)]
        if not points:
            return f"{line.label}: no finite point"
        first, last = points[0], points[-1]
        return (
            f"{line.label}: from {format_value(first[1])} at {format_value(first[0])} "
            f"to {format_value(last[1])} at {format_value(last[0])}"
        )

    def table(self) -> Table:
        lines = self.drawing.lines
        known = [dict(zip(line.x, line.y, strict=True)) for line in lines]
        across = sorted({x for line in lines for x in line.x if x is not None})
        header = [self.drawing.x_title, *(line.label for line in lines)]
        rows = [
            [format_value(x), *(format_value(own[x]) if x in own else "" for own in known)]
            for x in (across[index] for index in picked(len(across)))
        ]
        return header, rows

    def extent(self, size: Size) -> tuple[float, float]:
        return size.width, size.height + legend_height(len(self.drawing.lines), size)

    def draw(self, canvas: Any, size: Size) -> None:
        axes, width = canvas.subplots(), size.font / 6
        handles = []
        for line, (slot, dash) in zip(self.drawing.lines, self.looks, strict=True):
            across, along = self._points(line)
            few = len(line.x) <= MOST_MARKERS
            (handle,) = axes.plot(
                [float("nan") if value is None else value for value in across],
                [float("nan") if value is None else value for value in along],
                color=COLOURS[slot],
                linestyle=MATPLOTLIB_DASHES[dash],
                lw=width,
                marker="o" if few else None,
                markersize=1.8 * width,
            )
            handles.append(handle)
        on_matplotlib(axes, *self.axes)
        dress(axes)
        axes.margins(x=0.02)
        add_legend(canvas, handles, [line.label for line in self.drawing.lines], size)
