"""Character language models: predict each character of a window from those before it.

Windows are read from an empty memory, and lie in tensors with time first: [sequence, windows].
"""

from __future__ import annotations

from functools import lru_cache
from math import exp
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from engine import random_bits
from engine.data import data_folder, load_text
from engine.inner_tasks.inner_task import Params
from engine.problem import Meta, Problem
from engine.spec.inner_tasks import language as options


class Windows(NamedTuple):
    """Stretches of a text."""

    inputs: Tensor
    """Codes of characters, int64 [sequence, windows]."""
    targets: Tensor
    """Of the characters that follow them, of the same shape."""
    masks: dict[str, Tensor] | None = None
    """What dropout multiplies, by its place in the model (see `mask_shapes`); nothing at test."""


class LanguageTask:
    """What the models share: text, windows, losses. A subclass adds `logits`."""

    def __init__(
        self, options: options.LanguageTask, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.options = options
        self.shapes = options.parameter_shapes()
        self.device = device
        self.dtype = dtype
        train, validation, test = _load(options.text, data_folder(), device)
        self.train = train[: options.train_characters]
        self.places = torch.arange(options.sequence + 1, device=device)[:, None]
        self.validation = self._spread(validation, options.validation_windows)
        self.test = self._spread(test, options.validation_windows)
        self.representative = self._spread(self.train, options.inner_loss_windows)

    def initial_params(self, seed: int) -> Params:
        """Weights uniform in ±1/√(fan in), vectors that stand for characters and places in ±1;
        norms and biases that change nothing.

        Drawn on the CPU in float64: the same on every device and, to rounding, in every precision.
        """
        generator = torch.Generator().manual_seed(seed)
        params: Params = {}
        for name, shape in self.shapes.items():
            if len(shape) == 1:
                value = torch.full(shape, float(name.endswith(".scale")), dtype=torch.float64)
            else:
                uniform = torch.rand(shape, generator=generator, dtype=torch.float64)
                looked_up = name in ("embedding.weight", "position.weight")
                value = (1.0 if looked_up else shape[1] ** -0.5) * (2.0 * uniform - 1.0)
            params[name] = value.to(self.device, self.dtype)
        return params

    def batch(self, seed: Tensor, t: int | Tensor) -> Windows:
        """The windows of step `t`, from places drawn with replacement."""
        last = len(self.train) - self.options.sequence
        starts = random_bits.uniform_indices(seed, t, self.options.batch_size, last)
        return self._windows(self.train, starts)

    def training_loss(self, params: Params, batch: Windows) -> Tensor:
        """Mean cross-entropy, in nats per character."""
        return F.cross_entropy(self.logits(params, batch), batch.targets.flatten())

    def whole_batch(self, seed: Tensor) -> Windows:
        return self.representative

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        """Mean cross-entropy on the held-out windows, in nats per character."""
        return self.training_loss(params, self.validation)

    def test_figures(self, problem: Problem, meta: Meta, seed: int) -> dict[str, float]:
        """What the model reaches on text that neither loop has seen: the cross-entropy, and its
        exponential, the number of characters that it is as uncertain between."""
        loss = float(self.training_loss(problem.final_params(meta, seed), self.test))
        return {"test_loss": loss, "test_perplexity": exp(min(loss, 700.0))}

    def logits(self, params: Params, batch: Windows) -> Tensor:
        """Scores of the character that follows, [sequence · windows, characters], time first."""
        raise TypeError(f"{type(self).__name__} does not say how its model computes")

    def _spread(self, part: Tensor, count: int | None) -> Windows:
        """`count` windows of `part`, evenly spread; without a count side by side."""
        last = len(part) - self.options.sequence - 1
        every = torch.arange(0, last + 1, self.options.sequence, device=self.device)
        if count is None:
            return self._windows(part, every)
        return self._windows(part, torch.arange(count, device=self.device) * last // count)

    def _windows(self, part: Tensor, starts: Tensor) -> Windows:
        codes = part[starts + self.places]
        return Windows(codes[:-1], codes[1:])


@lru_cache(maxsize=4)
def _load(name: str, folder: Path, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The parts of a text, never to be written to: every caller shares them."""
    text = load_text(name)
    expected, found = options.CHARACTERS[name], len(text.alphabet)
    if found != expected:
        raise RuntimeError(f"the text {name!r} has {found} different characters, not {expected}")
    train, validation, test = (
        torch.from_numpy(part.copy()).to(device)
        for part in (text.train, text.validation, text.test)
    )
    return train, validation, test
