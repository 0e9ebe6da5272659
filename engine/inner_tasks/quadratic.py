"""A noisy quadratic bowl, whose trajectory is an affine recurrence that can be solved by hand."""

import torch
from torch import Tensor

from engine import random_bits
from engine.inner_tasks.inner_task import Params
from engine.spec import inner_tasks as options


class Quadratic:
    """Inner loss ½ (w − c)ᵀ H (w − c) + noise · ξ_tᵀ w, meta-loss ½ ‖w − c′‖².

    H is diagonal, its entries log-spaced from 1/κ to 1; c is drawn once for the task; c′ lies
    `shift` away from c in every coordinate; ξ_t is standard normal and depends on (seed, t).
    """

    def __init__(
        self, options: options.Quadratic, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.dimension = options.dimension
        self.noise = options.noise
        # The seed of no run: a learner that drew these numbers would start at the optimum.
        generator = torch.Generator().manual_seed(2**31)
        optimum = torch.randn(self.dimension, generator=generator, dtype=torch.float64)
        direction = torch.randn(self.dimension, generator=generator, dtype=torch.float64).sign()
        self.curvature = log_spaced(self.dimension, options.condition_number).to(device, dtype)
        self.optimum = optimum.to(device, dtype)
        self.validation_optimum = (optimum + options.shift * direction).to(device, dtype)

    def initial_params(self, seed: int) -> Params:
        generator = torch.Generator().manual_seed(seed)
        start = torch.randn(self.dimension, generator=generator, dtype=torch.float64)
        return {"w": start.to(self.optimum)}

    def batch(self, seed: Tensor, t: int | Tensor) -> Tensor | None:
        """The noise of the gradient at step `t`; shape [dimension]."""
        if self.noise == 0.0:
            return None
        return self.noise * random_bits.normal(seed, t, self.dimension, self.optimum.dtype)

    def training_loss(self, params: Params, batch: Tensor | None) -> Tensor:
        loss = 0.5 * (self.curvature * (params["w"] - self.optimum) ** 2).sum()
        return loss if batch is None else loss + (batch * params["w"]).sum()

    def whole_batch(self, seed: Tensor) -> None:
        return None

    def validation_loss(self, params: Params, seed: Tensor) -> Tensor:
        return 0.5 * ((params["w"] - self.validation_optimum) ** 2).sum()


def log_spaced(dimension: int, condition_number: float) -> Tensor:
    """Curvatures from 1 / condition_number to 1; float64, shape [dimension]."""
    exponents = torch.linspace(0.0, 1.0, dimension, dtype=torch.float64)
    return (1.0 / condition_number) ** (1.0 - exponents)
