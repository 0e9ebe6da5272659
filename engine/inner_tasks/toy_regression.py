"""The toy problem of Vicol, Metz and Sohl-Dickstein, "Unbiased gradient estimation in unrolled
computation graphs with persistent evolution strategies" (2021), their "2D regression".

    f(x, y) = √(x² + 5) − √5 + sin²(y) exp(−5x²) + ¼ |y − 100|,      from (1, 1)

Along the valley x = 0 the loss falls towards y = 100, over waves: large steps pay only in the long
run, and a schedule learned from short windows stays small. In the paper T = 100, windows have 10
steps, the schedule is linear and both its ends start at e⁻⁴.
"""

import torch
from torch import Tensor

from engine.inner_tasks.inner_task import Params
from engine.spec import inner_tasks as options


class ToyRegression:
    """Without data and noise: every step sees the function itself."""

    def __init__(
        self, options: options.ToyRegression, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.start = torch.ones((), device=device, dtype=dtype)

    def initial_params(self, seed: int) -> Params:
        return {"x": self.start, "y": self.start.clone()}

    def batch(self, seed: Tensor, t: int | Tensor) -> None:
        return None

    def whole_batch(self, seed: Tensor) -> None:
        return None

    def training_loss(self, params: Params, batch: None) -> Tensor:
        x, y = params["x"], params["y"]
        bowl = torch.sqrt(x**2 + 5.0) - 5.0**0.5
        waves = torch.sin(y) ** 2 * torch.exp(-5.0 * x**2)
        return bowl + waves + 0.25 * (y - 100.0).abs()

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        return self.training_loss(params, None)
