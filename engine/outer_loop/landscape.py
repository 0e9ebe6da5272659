"""The meta-loss around the proposals of an outer loop with one or two meta-parameters: the picture
of the lecture, particles over the loss surface, generation by generation.

The frame holds all proposals so far and stays as it is until one leaves it, so that the pictures of
a run can be looked at one after the other. The surface in it is computed once, at the seeds of the
first outer step, with the engine's own `meta_losses`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.pictures import Particles, Picture
from engine.population import meta_losses
from engine.problem import Meta, Problem
from engine.searches.flattening import rows, unflattened

POINTS = {1: 41, 2: 15}
"""Of the surface along each axis, by dim θ."""
MARGIN = 0.15
"""Room around the proposals, as a share of their range."""
BASE = 1.0
"""Half the width of a frame whose proposals all coincide, over their size."""

Frame = list[tuple[float, float]]
"""Lowest and highest value of every entry of θ."""


class Landscape:
    """`frame` is all that a checkpoint must keep: the surface follows from it. `seeds` are those
    of the inner loops that the surface is the mean over."""

    def __init__(self, problem: Problem, meta: Meta, seeds: list[int]) -> None:
        self.problem = problem
        self.like = meta
        self.seeds = seeds
        self.dimensions = sum(leaf.numel() for leaf in meta.values())
        self.frame: Frame | None = None
        self._drawn: tuple[Frame, Tensor] | None = None
        logarithmic = problem.logarithmic() if hasattr(problem, "logarithmic") else []
        self.odds = problem.odds() if hasattr(problem, "odds") else []
        self.log = [name in logarithmic for name, leaf in meta.items() for _ in range(leaf.numel())]

    @staticmethod
    def fits(meta: Meta) -> bool:
        """Whether θ has as few entries as a picture has axes."""
        return sum(leaf.numel() for leaf in meta.values()) in POINTS

    def picture(
        self, metas: Meta, losses: Tensor, mean: Meta, at_mean: float, chunk: int
    ) -> Picture:
        """Proposals (along a leading axis) and the meta-loss of each, and what they were drawn
        around with its own; `chunk` points of the surface are alive at once."""
        points = torch.cat([rows(metas), rows({name: leaf[None] for name, leaf in mean.items()})])
        self._hold(points)
        axes, surface = self._surface(chunk)
        shown = [self._shown(point) for point in points.tolist()]
        heights = losses.to("cpu", torch.float64).tolist()
        if self.dimensions == 1:
            # What has no height stands at the upper edge, and its loss says so.
            top = max(filter(math.isfinite, [*surface[0].tolist(), *heights]), default=0.0)
            shown = [
                (x, height if math.isfinite(height) else top)
                for (x, *_), height in zip(shown, [*heights, at_mean], strict=True)
            ]
        titles = [*self._titles(), "meta-loss"]
        values = [[self._value(index, entry) for entry in axis] for index, axis in enumerate(axes)]
        drawing = Particles(
            x_title=titles[0],
            y_title=titles[1],
            x=values[0],
            y=values[1] if self.dimensions == 2 else [],
            surface=surface.tolist(),
            points=shown[:-1],
            losses=heights,
            mean=shown[-1],
            log_x=self.log[0],
            log_y=self.dimensions == 2 and self.log[1],
        )
        return Picture(name="particles", title="Proposals over the meta-loss", drawing=drawing)

    def losses(self, metas: Meta, seeds: list[int], chunk: int) -> Tensor:
        """The meta-loss at every particle, as the mean over inner loops; shape [particles]."""
        each = [meta_losses(self.problem, metas, seed, chunk=chunk) for seed in seeds]
        return torch.stack(each).mean(0)

    def _titles(self) -> list[str]:
        """A name for what is shown of every entry of θ."""
        return [
            ("odds of " if name in self.odds else "")
            + name.replace("_", " ")
            + (f", entry {index + 1}" if leaf.numel() > 1 else "")
            for name, leaf in self.like.items()
            for index in range(leaf.numel())
        ]

    def _shown(self, point: list[float]) -> tuple[float, ...]:
        return tuple(self._value(index, entry) for index, entry in enumerate(point))

    def _value(self, index: int, entry: float) -> float:
        """An entry of θ as one reads it: itself, or what it is the logarithm of."""
        return math.exp(min(max(entry, -700.0), 700.0)) if self.log[index] else float(entry)

    def _hold(self, points: Tensor) -> None:
        """Widen the frame where a point is outside it."""
        known = self.frame or [(math.inf, -math.inf)] * self.dimensions
        self.frame = [
            _wider(ends, entries) for ends, entries in zip(known, points.T.tolist(), strict=True)
        ]

    @torch.no_grad()
    def _surface(self, chunk: int) -> tuple[list[Tensor], Tensor]:
        """The axes, and the meta-loss over them; shape [1, x] for one entry of θ, else [y, x]."""
        count = POINTS[self.dimensions]
        axes = [torch.linspace(low, high, count, dtype=torch.float64) for low, high in self.frame]
        if self._drawn is None or self._drawn[0] != self.frame:
            grid = torch.stack(torch.meshgrid(*axes, indexing="xy"), dim=-1)
            metas = unflattened(grid.reshape(-1, self.dimensions), self.like)
            losses = self.losses(metas, self.seeds, chunk)
            self._drawn = self.frame, losses.to("cpu", torch.float64).reshape(-1, count)
        return axes, self._drawn[1]


def _wider(ends: tuple[float, float], entries: list[float]) -> tuple[float, float]:
    """`ends`, moved out past those of `entries` that lie beyond them."""
    low, high = ends
    least, most = min([low, *entries]), max([high, *entries])
    room = MARGIN * (most - least) or BASE * (abs(least) or 1.0)
    return least - room if least < low else low, most + room if most > high else high
