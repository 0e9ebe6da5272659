"""Few-shot regression of sinusoids: the first experiment of MAML (Finn et al., 2017, §5.1)."""

from __future__ import annotations

from math import pi
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from engine import random_bits
from engine.inner_tasks.images import ACTIVATIONS
from engine.inner_tasks.inner_task import FIRST_HELD_OUT_SEED, Params
from engine.pictures import Curves, Line, Picture
from engine.problem import Meta
from engine.spec import inner_tasks as options

AMPLITUDES = (0.1, 5.0)
PHASES = (0.0, pi)
PLACES = (-5.0, 5.0)
SINUSOID, SUPPORT, QUERY = -1, -2, -3
"""Streams of random bits."""
DRAWN_POINTS = 101


class Points(NamedTuple):
    x: Tensor
    """[N, 1]."""
    y: Tensor
    """[N, 1]."""


class SinusoidTask:
    """Mean squared error of a multilayer perceptron on points of a sinusoid of the seed's own."""

    def __init__(
        self, options: options.Sinusoid, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.options = options
        self.shapes = options.parameter_shapes()
        self.activation = ACTIVATIONS[options.activation]
        self.device = device
        self.dtype = dtype

    def initial_params(self, seed: int) -> Params:
        """Weights normal with variance 1 / fan in, biases 0."""
        generator = torch.Generator().manual_seed(seed)
        params: Params = {}
        for name, shape in self.shapes.items():
            drawn = torch.zeros(shape, dtype=torch.float64)
            if name.endswith(".weight"):
                drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
                drawn = drawn * shape[1] ** -0.5
            params[name] = drawn.to(self.device, self.dtype)
        return params

    def batch(self, seed: Tensor, t: int | Tensor) -> Points:
        """All points to learn from, at every step."""
        return self._points(seed, SUPPORT, self.options.shots)

    def whole_batch(self, seed: Tensor) -> Points:
        return self.batch(seed, 0)

    def training_loss(self, params: Params, batch: Points) -> Tensor:
        """Mean squared error, in plain operations: tangents of torch's own end the process."""
        return ((self.predicted(params, batch.x) - batch.y) ** 2).mean()

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        """Mean squared error at other points of the same sinusoid."""
        return self.training_loss(params, self._points(seed, QUERY, self.options.queries))

    def predicted(self, params: Params, x: Tensor) -> Tensor:
        """y at x; both [N, 1]."""
        last = len(self.shapes) // 2 - 1
        for layer in range(last + 1):
            x = F.linear(x, params[f"layers.{layer}.weight"], params[f"layers.{layer}.bias"])
            if layer < last:
                x = self.activation(x)
        return x

    def sinusoid(self, seed: Tensor, x: Tensor) -> Tensor:
        """The true y at x."""
        drawn = random_bits.uniform(seed, SINUSOID, 2, self.dtype)
        amplitude, phase = _between(AMPLITUDES, drawn[:1]), _between(PHASES, drawn[1:])
        return amplitude * torch.sin(x - phase)

    def _points(self, seed: Tensor, stream: int, count: int) -> Points:
        x = _between(PLACES, random_bits.uniform(seed, stream, count, self.dtype)).unsqueeze(1)
        return Points(x, self.sinusoid(seed, x))

    @torch.no_grad()
    def test_figures(self, problem: Any, meta: Meta, seed: int) -> dict[str, float]:
        """Mean squared error on sinusoids that no inner loop of the outer loop has."""
        losses = []
        for index in range(self.options.test_tasks):
            held_out = FIRST_HELD_OUT_SEED + index
            params = problem.final_params(meta, held_out)
            losses.append(self.validation_loss(params, self._seed(held_out)).double())
        return {"test_loss": torch.stack(losses).mean().item()}

    @torch.no_grad()
    def pictures(self, problem: Any, meta: Meta, seed: int) -> list[Picture]:
        """A held-out sinusoid, its points, and what the learner makes of them."""
        held_out = self._seed(FIRST_HELD_OUT_SEED)
        x = torch.linspace(*PLACES, DRAWN_POINTS, device=self.device, dtype=self.dtype)[:, None]
        start = problem.initial_state(meta, FIRST_HELD_OUT_SEED)["params"]
        before = self.predicted(problem.completed(meta, start), x)
        after = self.predicted(problem.final_params(meta, FIRST_HELD_OUT_SEED), x)
        points = self.batch(held_out, 0)
        lines = [
            _line("true function", x, self.sinusoid(held_out, x)),
            _line("before adaptation", x, before, dashed=True),
            _line(f"after {problem.horizon} steps", x, after),
            _line("points to learn from", points.x, points.y, points=True),
        ]
        drawing = Curves(x_title="x", y_title="y", lines=lines)
        return [Picture(name="sinusoid", title="A held-out sinusoid", drawing=drawing)]

    def _seed(self, seed: int) -> Tensor:
        return torch.tensor(seed, device=self.device)


def _between(limits: tuple[float, float], uniform: Tensor) -> Tensor:
    low, high = limits
    return low + (high - low) * uniform


def _line(label: str, x: Tensor, y: Tensor, **how: bool) -> Line:
    return Line(label=label, x=x.flatten().tolist(), y=y.flatten().tolist(), **how)
