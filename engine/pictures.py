"""Pictures of what a run has learned, as plain data: the page draws them, and the export too.

Free of torch. Each drawing is a model that JSON round-trips, so that what is stored, drawn in the
browser and written to a file is the same.
"""

from __future__ import annotations

import base64
import math
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MOST_PIXELS = 2_000_000
"""Of all images of one picture together."""


def _finite_or_none(value: Any) -> Any:
    return value if not isinstance(value, float) or math.isfinite(value) else None


Value = Annotated[float | None, BeforeValidator(_finite_or_none)]
"""A number that was computed. One that is not finite becomes `None`, for which JSON has a word."""


class Drawing(BaseModel):
    """What every drawing is: closed, frozen, finite or `None`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Images(Drawing):
    """A grid of images of one size, row by row."""

    kind: Literal["images"] = "images"
    columns: int
    height: int
    width: int
    channels: Literal[1, 3]
    pixels: str
    """uint8 [N, height, width, channels] in base64."""
    captions: list[str] = []
    """One below each image, or none at all."""
    right: list[bool | None] = []
    """Whether each image's guess is right; `None` where there is no guess; or none at all."""

    def array(self) -> np.ndarray:
        """uint8 [N, height, width, channels]."""
        flat = np.frombuffer(base64.b64decode(self.pixels), dtype=np.uint8)
        return flat.reshape(-1, self.height, self.width, self.channels)


class Line(Drawing):
    """One curve. A value that is not finite is `None`."""

    label: str
    x: list[Value]
    y: list[Value]
    dashed: bool = False
    """Something to compare with, such as where the outer loop started."""
    points: bool = False
    """Separate points, such as data, with no line between them."""


class Curves(Drawing):
    """Lines over one axis: a schedule, an update rule."""

    kind: Literal["curves"] = "curves"
    x_title: str
    y_title: str
    lines: list[Line]
    log_x: bool = False
    log_y: bool = False


class Edge(Drawing):
    source: str
    target: str
    label: str
    weight: float
    """In [0, 1]: how strongly it is drawn."""


class Graph(Drawing):
    """Nodes in order from input to output, and directed edges: a cell."""

    kind: Literal["graph"] = "graph"
    nodes: list[str]
    edges: list[Edge]


class Particles(Drawing):
    """Proposals of a search over the meta-loss, with one or two meta-parameters.

    With one, `surface` has one row: the meta-loss at `x`, and a point is (θ, its meta-loss). With
    two it is a grid, `surface[row][column]` at `y[row]`, `x[column]`, and a point is (θ_1, θ_2).
    """

    kind: Literal["particles"] = "particles"
    x_title: str
    y_title: str
    x: list[float]
    y: list[float]
    surface: list[list[Value]]
    points: list[tuple[float, float]]
    losses: list[Value]
    """Meta-loss of each point."""
    mean: tuple[float, float] | None = None
    """The middle of the distribution that the points were drawn from."""
    log_x: bool = False
    log_y: bool = False


AnyDrawing = Annotated[Images | Curves | Graph | Particles, Field(discriminator="kind")]


class Picture(Drawing):
    """A drawing with its name, which stays the same from step to step, and its title."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)
    """Letters, digits, and `_.-` after the first: it is part of addresses and of file names."""
    title: str = Field(min_length=1, max_length=200)
    drawing: AnyDrawing


def images(
    array: np.ndarray,
    *,
    columns: int,
    captions: list[str] | None = None,
    right: list[bool | None] | None = None,
) -> Images:
    """A grid of `array`, [N, height, width] or [N, height, width, 3], of uint8 or of any numbers:
    these are scaled together, from their smallest (black) to their largest (white).

    Raises `ValueError` for more pixels than a picture may have.
    """
    if array.ndim == 3:
        array = array[..., None]
    count, height, width, channels = array.shape
    if array.size > MOST_PIXELS:
        raise ValueError(f"{count} images of {height} × {width} are too many for one picture")
    if array.dtype != np.uint8:
        low, high = float(array.min()), float(array.max())
        scaled = (array - low) / ((high - low) or 1.0) * 255.0
        array = scaled.round().astype(np.uint8)
    return Images(
        columns=columns,
        height=height,
        width=width,
        channels=channels,
        pixels=base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii"),
        captions=captions or [],
        right=right or [],
    )
