"""A cell: its nodes on a line from input to output, its edges as arcs over and under it.

Neighbours are joined by a straight edge. Every other length of edge, and every further edge between
the same two nodes, has a height of its own, so that no label lies on another.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape

from engine.pictures import Graph
from webapp.exports.numbers import format_value
from webapp.exports.palette import COLOURS
from webapp.exports.paper import CENTIMETRES_PER_INCH, INK, SOFT, Size, plain_text
from webapp.exports.pictures.view import Table, View

NODE_HEIGHT = 30.0
LEVEL = 32.0
"""From one height of arcs to the next."""
CHARACTER = 6.6
"""Width of a character of a label."""
FONT = 11.0
EDGE = 16.0
"""Around the drawing."""
ABOVE = 10.0
"""From an edge to its label."""
HEAD = 7.0
"""Length of an arrow's head."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Node:
    label: str
    x: float
    width: float


@dataclass(frozen=True)
class Arc:
    """A quadratic curve from `start` to `end`."""

    label: str
    weight: float
    start: Point
    control: Point
    end: Point
    label_at: Point

    @property
    def width(self) -> float:
        return 0.8 + 4.2 * min(max(self.weight, 0.0), 1.0)

    @property
    def opacity(self) -> float:
        return 0.4 + 0.6 * min(max(self.weight, 0.0), 1.0)

    @property
    def head(self) -> tuple[Point, Point, Point]:
        """The arrow's head, which points where the curve ends."""
        across, along = self.end[0] - self.control[0], self.end[1] - self.control[1]
        length = (across**2 + along**2) ** 0.5 or 1.0
        u, v = across / length, along / length
        reach, half = HEAD + self.width / 2, HEAD / 2 + self.width / 4
        x, y = self.end[0] - reach * u, self.end[1] - reach * v
        return self.end, (x - half * v, y + half * u), (x + half * v, y - half * u)

    @property
    def neck(self) -> Point:
        """Where the line ends and the head begins."""
        _, left, right = self.head
        return (left[0] + right[0]) / 2, (left[1] + right[1]) / 2


class GraphView(View):
    """The drawing in units of a page's pixels; the line of nodes is at y = 0."""

    drawing: Graph

    @cached_property
    def nodes(self) -> dict[str, Node]:
        longest = max((len(edge.label) for edge in self.drawing.edges), default=0)
        widths = [max(40.0, CHARACTER * len(name) + 18.0) for name in self.drawing.nodes]
        nodes, x = {}, EDGE
        for name, width in zip(self.drawing.nodes, widths, strict=True):
            nodes[name] = Node(name, x + width / 2, width)
            x += width + max(70.0, CHARACTER * longest + 26.0)
        return nodes

    @cached_property
    def arcs(self) -> list[Arc]:
        order = {name: index for index, name in enumerate(self.drawing.nodes)}
        edges = [edge for edge in self.drawing.edges if {edge.source, edge.target} <= order.keys()]
        seen: Counter[tuple[str, str]] = Counter()
        levels = []
        for edge in edges:
            ends = edge.source, edge.target
            levels.append((abs(order[edge.target] - order[edge.source]), seen[ends]))
            seen[ends] += 1
        straight = (1, 0)
        heights = {level: i for i, level in enumerate(sorted({*levels} - {straight}), start=1)}
        arcs = []
        for edge, level in zip(edges, levels, strict=True):
            source, target = self.nodes[edge.source], self.nodes[edge.target]
            arc = _straight if level == straight else _bent(heights[level])
            arcs.append(Arc(edge.label, edge.weight, *arc(source, target)))
        return arcs

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height."""
        last = max((node.x + node.width / 2 for node in self.nodes.values()), default=0.0)
        heights = [arc.label_at[1] for arc in self.arcs]
        top = min([-NODE_HEIGHT / 2, *heights]) - EDGE
        bottom = max([NODE_HEIGHT / 2, *heights]) + EDGE
        return 0.0, top, last + EDGE, bottom - top

    def page(self) -> dict[str, Any]:
        return {"svg": self._svg()}

    def _svg(self) -> str:
        left, top, width, height = self.box
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" width="{width:.0f}" '
            f'height="{height:.0f}" viewBox="{left:.1f} {top:.1f} {width:.1f} {height:.1f}">'
        ]
        for arc in sorted(self.arcs, key=lambda arc: arc.weight):
            (x0, y0), (x1, y1), (x2, y2) = arc.start, arc.control, arc.neck
            head = " ".join(f"{x:.1f},{y:.1f}" for x, y in arc.head)
            parts.append(
                f'<g class="graph-edge" opacity="{arc.opacity:.2f}">'
                f"<title>{escape(arc.label)}: {format_value(arc.weight)}</title>"
                f'<path d="M{x0:.1f} {y0:.1f}Q{x1:.1f} {y1:.1f} {x2:.1f} {y2:.1f}" '
                f'stroke-width="{arc.width:.2f}"/><polygon points="{head}"/></g>'
            )
        for arc in self.arcs:
            x, y = arc.label_at
            parts.append(
                f'<text class="graph-label" x="{x:.1f}" y="{y:.1f}">{escape(arc.label)}</text>'
            )
        for node in self.nodes.values():
            parts.append(
                f'<g class="graph-node"><rect x="{node.x - node.width / 2:.1f}" '
                f'y="{-NODE_HEIGHT / 2}" width="{node.width:.1f}" height="{NODE_HEIGHT}" rx="7"/>'
                f'<text x="{node.x:.1f}" y="0">{escape(node.label)}</text></g>'
            )
        return "".join([*parts, "</svg>"])

    def words(self) -> str:
        drawing = self.drawing
        edges = [f"{edge.source} to {edge.target}: {edge.label}" for edge in drawing.edges[:16]]
        more = len(drawing.edges) - len(edges)
        text = f"{len(drawing.nodes)} nodes, {len(drawing.edges)} edges. {'; '.join(edges)}."
        return f"{text} And {more} more edges." if more > 0 else text

    def table(self) -> Table:
        edges = sorted(self.drawing.edges, key=lambda edge: -edge.weight)
        rows = [[e.source, e.target, e.label, format_value(e.weight)] for e in edges]
        return ["From", "To", "Operation", "Weight"], rows

    def extent(self, size: Size) -> tuple[float, float]:
        _, _, width, height = self.box
        # A cell of few nodes is not blown up beyond the font of the rest of the paper.
        unit = min(size.width / width, 1.3 * size.font / FONT / 72 * CENTIMETRES_PER_INCH)
        return width * unit, height * unit

    def draw(self, canvas: Any, size: Size) -> None:
        from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
        from matplotlib.path import Path

        left, top, width, height = self.box
        points = self.extent(size)[0] / width / CENTIMETRES_PER_INCH * 72
        canvas.set_layout_engine("none")
        axes = canvas.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(left, left + width)
        axes.set_ylim(top + height, top)
        for arc in sorted(self.arcs, key=lambda arc: arc.weight):
            path = Path([arc.start, arc.control, arc.neck], [1, 3, 3])
            look = {"alpha": arc.opacity, "color": COLOURS[0]}
            axes.add_patch(PathPatch(path, fill=False, lw=arc.width * points, **look))
            axes.add_patch(Polygon(arc.head, lw=0, **look))
        font = FONT * points
        for arc in self.arcs:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.12 * font}
            x, y = arc.label_at
            axes.text(
                x, y, plain_text(arc.label), ha="center", va="center", fontsize=font, color=INK,
                bbox=box,
            )  # fmt: skip
        for node in self.nodes.values():
            corner = node.x - node.width / 2 + 6, 6 - NODE_HEIGHT / 2
            axes.add_patch(
                FancyBboxPatch(
                    corner, node.width - 12, NODE_HEIGHT - 12, boxstyle="round,pad=6",
                    fc="#f0f0ec", ec=SOFT, lw=points,
                )
            )  # fmt: skip
            axes.text(
                node.x, 0, plain_text(node.label), ha="center", va="center", fontsize=font,
                color=INK, fontweight="bold",
            )  # fmt: skip


def _straight(source: Node, target: Node) -> tuple[Point, Point, Point, Point]:
    """Start, control point, end, and the place of the label."""
    forward = 1.0 if target.x >= source.x else -1.0
    start = source.x + forward * source.width / 2, 0.0
    end = target.x - forward * target.width / 2, 0.0
    middle = (start[0] + end[0]) / 2
    return start, (middle, 0.0), end, (middle, -ABOVE)


def _bent(height: int):
    """Odd heights lie above the nodes, even ones below."""
    side = -1.0 if height % 2 else 1.0
    rise = (height + 1) // 2 * LEVEL

    def arc(source: Node, target: Node) -> tuple[Point, Point, Point, Point]:
        forward = 1.0 if target.x >= source.x else -1.0
        foot = side * NODE_HEIGHT / 2
        start = source.x + forward * source.width / 4, foot
        end = target.x - forward * target.width / 4, foot
        middle = (start[0] + end[0]) / 2
        # A quadratic curve reaches half the height of its control point.
        label_at = middle, foot + side * (rise + ABOVE)
        return start, (middle, foot + 2 * side * rise), end, label_at

    return arc
