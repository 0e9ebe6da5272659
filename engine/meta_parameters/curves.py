"""What a hyper-parameter has become, drawn beside what it started as."""

import math

import torch
from torch import Tensor

from engine.pictures import Curves, Line, Picture

MOST_POINTS = 400
"""Of one curve: a longer one is thinned out evenly."""


def over_steps(name: str, title: str, now: Tensor, before: Tensor) -> Picture:
    """Values of shape [T], one for each inner step."""
    steps = torch.arange(len(now), dtype=torch.float64)
    return _drawn(name, f"{title} at every inner step", "inner step", title, steps, now, before)


def over_entries(name: str, title: str, now: Tensor, before: Tensor) -> Picture:
    """Values of any shape, sorted: which share of the entries lies below which value."""
    now, before = now.flatten().sort().values, before.flatten().sort().values
    share = torch.linspace(0.0, 1.0, len(now), dtype=torch.float64)
    heading = f"{title} of every parameter, in ascending order"
    return _drawn(name, heading, "share of the parameters", title, share, now, before)


def line(label: str, x: Tensor, y: Tensor, *, dashed: bool = False) -> Line:
    """A curve through points of shape [N]; what is not finite has no place on it."""
    kept = torch.linspace(0, len(x) - 1, min(len(x), MOST_POINTS), dtype=torch.float64).round()
    x, y = x.detach().cpu(), y.detach().cpu()
    return Line(label=label, x=_finite(x[kept.long()]), y=_finite(y[kept.long()]), dashed=dashed)


def _drawn(
    name: str, heading: str, x_title: str, y_title: str, x: Tensor, now: Tensor, before: Tensor
) -> Picture:
    lines = [line("learned", x, now), line("at the start", x, before, dashed=True)]
    curves = Curves(x_title=x_title, y_title=y_title, lines=lines)
    return Picture(name=name, title=heading, drawing=curves)


def _finite(values: Tensor) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
