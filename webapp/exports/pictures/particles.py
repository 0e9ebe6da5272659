"""A generation of proposals over the meta-loss: points over its curve or its contours.

Losses above `top` are not told apart: a few that diverged would otherwise flatten all the others.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from engine.pictures import Particles
from webapp.exports.numbers import format_value
from webapp.exports.palette import COLOURS
from webapp.exports.paper import INK, SOFT, Size, add_legend, dress, legend_height
from webapp.exports.pictures.axes import Axis, axis, on_matplotlib, plotly_text
from webapp.exports.pictures.view import MOST_TABLE_ROWS, Table, View
from webapp.exports.ticks import round_ticks

SCALE = (
    "#00224e", "#083370", "#35456c", "#4f576c", "#666970", "#7d7c78",
    "#948e77", "#aea371", "#c8b866", "#e5cf52", "#fee838",
)  # fmt: skip
"""Cividis, by Nuñez, Anderton and Renslow (2018): even steps, the same for colour-blind readers.
Dark is a low meta-loss."""
LEVELS = 14
LABELS = {"surface": "meta-loss", "points": "proposals", "lost": "not finite", "mean": "mean"}


class ParticlesView(View):
    drawing: Particles

    @property
    def flat(self) -> bool:
        """Whether θ has two entries, and the meta-loss is the colour alone."""
        return bool(self.drawing.y)

    @cached_property
    def surface(self) -> np.ndarray:
        """[y, x], NaN where it is not finite."""
        rows = [[np.nan if v is None else v for v in row] for row in self.drawing.surface]
        return np.array(rows, dtype=np.float64)

    @cached_property
    def losses(self) -> np.ndarray:
        return np.array([np.nan if v is None else v for v in self.drawing.losses])

    @cached_property
    def bottom_and_top(self) -> tuple[float, float]:
        """The lowest loss, and the one from which they are not told apart."""
        over = self.surface[np.isfinite(self.surface)]
        own = self.losses[np.isfinite(self.losses)]
        every = np.concatenate([over, own])
        if not every.size:
            return 0.0, 1.0
        low, high = float(every.min()), float(every.max())
        usual = [float(np.median(over))] if over.size else []
        usual += [float(np.quantile(own, 0.5, method="lower"))] if own.size else []
        top = min(high, low + 1.5 * (max(usual) - low))
        return (low, top) if top > low else (low, high if high > low else low + 1.0)

    @cached_property
    def axes(self) -> tuple[Axis, Axis]:
        drawing = self.drawing
        across = axis(drawing.x_title, drawing.log_x, drawing.x, exact=True)
        if self.flat:
            return across, axis(drawing.y_title, drawing.log_y, drawing.y, exact=True)
        bottom, top = self.bottom_and_top
        room = (top - bottom) / 18
        return across, Axis(drawing.y_title, False, ends=(bottom - room, top + room))

    def _height(self, loss: float) -> float:
        """Where a loss is drawn: at the upper edge where it has no place below."""
        _, top = self.bottom_and_top
        return min(loss, top) if np.isfinite(loss) else top

    def _place(self, x: float, y: float) -> tuple[float, float]:
        return (x, y) if self.flat else (x, self._height(y))

    @cached_property
    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places of the proposals with a finite loss, these losses, and places of the others."""
        places = np.array(self.drawing.points, dtype=np.float64).reshape(-1, 2)
        if not self.flat:
            places[:, 1] = [self._height(loss) for loss in self.losses]
        finite = np.isfinite(self.losses)
        heights = np.array([self._height(loss) for loss in self.losses[finite]])
        return places[finite], heights, places[~finite]

    def page(self) -> dict[str, Any]:
        x, y = self.axes
        data = [self._contours() if self.flat else self._curve(), *self._proposals()]
        layout = {
            "xaxis": x.plotly(),
            "yaxis": y.plotly(),
            "margin": {"l": 60, "r": 14, "t": 10, "b": 44},
            "hovermode": "closest",
            "showlegend": False,
        }
        return {"plotly": {"data": data, "layout": layout}}

    def _curve(self) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "lines",
            "x": self.drawing.x,
            "y": [None if np.isnan(value) else float(value) for value in self.surface[0]],
            "line": {"width": 2},
            "hoverinfo": "skip",
            "meta": {"part": "ink"},
        }

    def _contours(self) -> dict[str, Any]:
        bottom, top = self.bottom_and_top
        capped = np.minimum(self.surface, top)
        step = (top - bottom) / LEVELS
        return {
            "type": "contour",
            "x": self.drawing.x,
            "y": self.drawing.y,
            "z": [[None if np.isnan(v) else float(v) for v in row] for row in capped],
            "zmin": bottom,
            "zmax": top,
            "autocontour": False,
            "contours": {"start": bottom, "end": top, "size": step, "coloring": "fill"},
            "colorscale": _plotly_scale(),
            "line": {"width": 0.5, "color": "rgba(255,255,255,0.35)"},
            "colorbar": {
                "title": {"text": "meta-loss", "side": "right"},
                "thickness": 10,
                "tickvals": round_ticks(bottom, top),
            },
            "hoverinfo": "skip",
            "meta": {"part": "surface"},
        }

    def _proposals(self) -> list[dict[str, Any]]:
        bottom, top = self.bottom_and_top
        drawing, (found, heights, lost) = self.drawing, self._parts
        said = [self._said(index) for index in range(len(drawing.points))]
        finite = np.isfinite(self.losses)
        hover = {"hovertemplate": "%{customdata}<extra></extra>", "type": "scatter"}
        ring = {"width": 1.2, "color": "#ffffff"}
        data = [
            {
                **hover,
                "mode": "markers",
                "x": found[:, 0].tolist(),
                "y": found[:, 1].tolist(),
                "customdata": [said[i] for i in np.flatnonzero(finite)],
                "marker": {
                    "size": 10,
                    "color": heights.tolist(),
                    "cmin": bottom,
                    "cmax": top,
                    "colorscale": _plotly_scale(),
                    "line": ring,
                },
                "meta": {"part": "points"},
            }
        ]
        if len(lost):
            data.append(
                {
                    **hover,
                    "mode": "markers",
                    "x": lost[:, 0].tolist(),
                    "y": lost[:, 1].tolist(),
                    "customdata": [said[i] for i in np.flatnonzero(~finite)],
                    "marker": {"size": 8, "symbol": "x-thin", "line": {"width": 2}},
                    "meta": {"part": "lost"},
                }
            )
        if drawing.mean is not None:
            x, y = self._place(*drawing.mean)
            data.append(
                {
                    **hover,
                    "mode": "markers",
                    "x": [x],
                    "y": [y],
                    "customdata": [f"mean: {self._where(drawing.mean)}"],
                    "marker": {"size": 18, "symbol": "cross-thin", "line": {"width": 3}},
                    "meta": {"part": "mean"},
                }
            )
        return data

    def _where(self, point: tuple[float, float]) -> str:
        drawing = self.drawing
        text = f"{plotly_text(drawing.x_title)} {format_value(point[0])}"
        if self.flat:
            text += f", {plotly_text(drawing.y_title)} {format_value(point[1])}"
        return text

    def _said(self, index: int) -> str:
        loss = self.drawing.losses[index]
        told = "not finite" if loss is None else format_value(loss)
        return f"{self._where(self.drawing.points[index])}: meta-loss {told}"

    def words(self) -> str:
        drawing, finite = self.drawing, self.losses[np.isfinite(self.losses)]
        text = f"{len(drawing.points)} proposals"
        if finite.size:
            best = drawing.points[int(np.nanargmin(self.losses))]
            low, high = format_value(float(finite.min())), format_value(float(finite.max()))
            text += f" with a meta-loss from {low} to {high}; the best at {self._where(best)}"
        if lost := len(drawing.points) - finite.size:
            text += f"; {lost} not finite"
        if drawing.mean is not None:
            text += f"; their mean at {self._where(drawing.mean)}"
        return f"{text}."

    def table(self) -> Table:
        drawing = self.drawing
        worst = np.where(np.isfinite(self.losses), self.losses, np.inf)
        chosen = np.argsort(worst, kind="stable")[:MOST_TABLE_ROWS]
        header = [drawing.x_title, *([drawing.y_title] if self.flat else []), "Meta-loss"]
        rows = []
        for index in chosen:
            x, y = drawing.points[index]
            loss = drawing.losses[index]
            told = "not finite" if loss is None else format_value(loss)
            rows.append([format_value(x), *([format_value(y)] if self.flat else []), told])
        return header, rows

    def extent(self, size: Size) -> tuple[float, float]:
        return size.width, size.height + legend_height(self._entries, size)

    @property
    def _entries(self) -> int:
        """Of the legend."""
        known = [True, not self.flat, bool(len(self._parts[2])), self.drawing.mean is not None]
        return sum(known)

    def draw(self, canvas: Any, size: Size) -> None:
        from matplotlib.colors import LinearSegmentedColormap

        axes, (bottom, top) = canvas.subplots(), self.bottom_and_top
        colours = LinearSegmentedColormap.from_list("meta-loss", SCALE)
        drawing, (found, heights, lost) = self.drawing, self._parts
        line = size.font / 6
        handles: list[tuple[str, Any]] = []
        if self.flat:
            capped = np.ma.masked_invalid(np.minimum(self.surface, top))
            levels = np.linspace(bottom, top, LEVELS + 1)
            filled = axes.contourf(drawing.x, drawing.y, capped, levels=levels, cmap=colours)
            bar = canvas.colorbar(filled, ax=axes, aspect=30, ticks=round_ticks(bottom, top))
            bar.set_label("meta-loss", color=SOFT)
            bar.ax.tick_params(colors=SOFT, width=0.6)
            bar.outline.set_visible(False)
        else:
            (curve,) = axes.plot(drawing.x, self.surface[0], color=INK, lw=line)
            handles.append(("surface", curve))
        points = axes.scatter(
            found[:, 0], found[:, 1], c=heights, cmap=colours, vmin=bottom, vmax=top,
            s=(4.2 * line) ** 2, edgecolors="white", linewidths=0.6 * line, zorder=3, clip_on=False,
        )  # fmt: skip
        handles.append(("points", points))
        if len(lost):
            crosses = axes.scatter(
                lost[:, 0], lost[:, 1], c="#b3261e", marker="x", s=(3.6 * line) ** 2, zorder=3,
                linewidths=line, clip_on=False,
            )  # fmt: skip
            handles.append(("lost", crosses))
        if drawing.mean is not None:
            x, y = self._place(*drawing.mean)
            mean = axes.scatter(
                [x], [y], c=COLOURS[1], marker="+", s=(8 * line) ** 2, linewidths=1.6 * line,
                zorder=4, clip_on=False,
            )  # fmt: skip
            handles.append(("mean", mean))
        on_matplotlib(axes, *self.axes)
        dress(axes)
        names = [LABELS[name] for name, _ in handles]
        add_legend(canvas, [handle for _, handle in handles], names, size)


def _plotly_scale() -> list[list[float | str]]:
    return [[index / (len(SCALE) - 1), colour] for index, colour in enumerate(SCALE)]
