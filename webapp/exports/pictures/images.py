"""A grid of images: crisp pixels, captions, and guesses marked by colour and by shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.pictures import Images
from webapp.exports.paper import CENTIMETRES_PER_INCH, INK, Size, plain_text
from webapp.exports.pictures.view import Table, View

RIGHT, WRONG = "#0c6b4a", "#b3261e"
MARKS = {True: ("✓", RIGHT, "solid"), False: ("✗", WRONG, (0, (2, 1)))}
GAP = 0.08
"""Between two images, as a share of an image's width."""
WIDEST = 2.6
"""Centimetres of one image on paper."""
CHARACTER = 0.62
"""Width of a character over its height, at most."""


class ImagesView(View):
    drawing: Images

    def page(self) -> dict[str, Any]:
        drawing = self.drawing
        names = ("columns", "height", "width", "channels", "pixels", "captions", "right")
        return {"images": {name: getattr(drawing, name) for name in names}}

    def words(self) -> str:
        drawing = self.drawing
        count = len(drawing.array())
        text = f"{count} images of {drawing.width} × {drawing.height} pixels"
        guesses = [right for right in drawing.right if right is not None]
        if guesses:
            text += f"; {sum(guesses)} of {len(guesses)} guesses are right"
        return f"{text}."

    def table(self) -> Table:
        drawing = self.drawing
        header = ["Image"]
        columns = [[str(index + 1) for index in range(len(drawing.array()))]]
        if drawing.captions:
            header.append("Caption")
            columns.append(list(drawing.captions))
        if drawing.right:
            words = {True: "right", False: "wrong", None: "–"}
            header.append("Guess")
            columns.append([words[right] for right in drawing.right])
        if len(columns) == 1:
            return [], []
        return header, [list(row) for row in zip(*columns, strict=False)]

    @property
    def rows(self) -> int:
        return -(-len(self.drawing.array()) // self.drawing.columns)

    def _cell(self, size: Size) -> tuple[float, float, float]:
        """Width and height of an image on paper, and of its caption's line, in centimetres."""
        drawing = self.drawing
        width = min(size.width / drawing.columns / (1 + GAP), WIDEST * size.width / 8.5)
        line = 1.25 * self._font(size, width) / 72 * CENTIMETRES_PER_INCH
        return width, width * drawing.height / drawing.width, line if drawing.captions else 0.0

    def _font(self, size: Size, width: float) -> float:
        """Points of the captions, so that the longest fits below its image."""
        longest = max((len(caption) for caption in self.drawing.captions), default=1) or 1
        fitting = width / CENTIMETRES_PER_INCH * 72 / (CHARACTER * longest)
        return max(2.5, min(0.85 * size.font, fitting))

    def extent(self, size: Size) -> tuple[float, float]:
        width, height, line = self._cell(size)
        gap = GAP * width
        return self.drawing.columns * (width + gap), self.rows * (height + line + gap)

    def draw(self, canvas: Any, size: Size) -> None:
        drawing = self.drawing
        width, height, line = self._cell(size)
        gap = GAP * width
        canvas.set_layout_engine("none")
        axes = canvas.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, drawing.columns * (width + gap))
        axes.set_ylim(self.rows * (height + line + gap), 0)
        for index, image in enumerate(drawing.array()):
            left = gap / 2 + index % drawing.columns * (width + gap)
            top = gap / 2 + index // drawing.columns * (height + line + gap)
            axes.imshow(
                # A colour map would round grey values to those of its own.
                np.broadcast_to(image, (*image.shape[:2], 3)),
                extent=(left, left + width, top + height, top),
                aspect="auto",
                # Pixels as they are; the file's own viewer may not blur them either.
                interpolation="nearest",
            )
            self._draw_words(axes, index, (left, top, width, height, line), size)

    def _draw_words(self, axes: Any, index: int, box: tuple[float, ...], size: Size) -> None:
        from matplotlib.patches import Rectangle

        left, top, width, height, line = box
        colour, text = INK, self.drawing.captions[index] if self.drawing.captions else ""
        right = self.drawing.right[index] if self.drawing.right else None
        if right is not None:
            mark, colour, dash = MARKS[right]
            axes.add_patch(
                Rectangle((left, top), width, height, fill=False, ec=colour, ls=dash, lw=1.1)
            )
            axes.text(
                left + width, top, mark, ha="right", va="top", color="white",
                fontsize=0.8 * size.font,
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip
        if text:
            axes.text(
                left + width / 2, top + height + 0.55 * line, plain_text(text), ha="center",
                va="center", color=colour, fontsize=self._font(size, width),
            )  # fmt: skip
